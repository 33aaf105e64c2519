"""Two analyses beside each other: what has changed, and how the pictures lie over each other.

Without a scale in the picture, an area is a share of the picture: two are comparable only where
both were taken at the same magnification, and nothing in a picture tells whether they were.
"""

import io
from dataclasses import dataclass

from PIL import Image

from services.gateway.analyses.alignment import Alignment, aligned
from services.gateway.analyses.answer import findings_of
from services.gateway.analyses.views import Views
from services.gateway.audit import list_shown
from services.gateway.findings import Findings
from services.gateway.records import Analysis
from services.gateway.threads import Threads

MEASURES = ("area_fraction", "asymmetry", "border_irregularity", "color_variegation")
"""Of what has an outline, as findings name them."""

GOOD_OVERLAP = 0.8
"""Jaccard index from which on two lesions lie over each other well enough to be looked at so."""


@dataclass(frozen=True, slots=True)
class Change:
    """A figure of the first analysis and of the second; None where there is none."""

    first: float | None
    second: float | None

    @property
    def difference(self) -> float | None:
        """The second without the first."""
        if self.first is None or self.second is None:
            return None
        return self.second - self.first

    @property
    def relative(self) -> float | None:
        """The difference as a share of the first."""
        return self.difference / self.first if self.difference is not None and self.first else None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What has changed from one analysis to another.

    Attributes:
        first: the analysis that is compared with.
        second: the one that is compared.
        measures: by the names of ``MEASURES``.
        malignant_probability: the models' own.
        probabilities: by label.
        alignment: of the second picture onto the first; None where one has no outline.

    """

    first: Analysis
    second: Analysis
    measures: dict[str, Change]
    malignant_probability: Change
    probabilities: dict[str, Change]
    alignment: Alignment | None

    @property
    def same_lesion(self) -> bool:
        """Whether both are attached to one lesion."""
        return self.first.lesion is not None and self.first.lesion == self.second.lesion

    @property
    def same_models(self) -> bool:
        """Whether the same models judged both: otherwise a change may be theirs."""
        first, second = (
            [each["sha256"] for each in (of.findings or {}).get("models", ())]
            for of in (self.first, self.second)
        )
        return first == second

    @property
    def fits(self) -> bool:
        """Whether the lesions lie over each other well enough."""
        return self.alignment is not None and self.alignment.overlap >= GOOD_OVERLAP


class Comparisons:
    """Compares analyses with each other."""

    def __init__(self, views: Views, threads: Threads) -> None:
        """Build from what comparing needs.

        Args:
            views: has the masks.
            threads: where they are laid over each other.

        """
        self._views = views
        self._threads = threads

    async def compare(self, first: Analysis, second: Analysis) -> Comparison:
        """Say what has changed from one analysis to another.

        Raises:
            NotFoundError: one has failed, or was removed meanwhile.
            NotFinishedError: one has no answer yet.

        """
        list_shown((first.id, second.id))
        before, after = (findings_of(each, "answer to compare") for each in (first, second))
        alignment = None
        if first.mask_sha256 and second.mask_sha256:
            masks = [await self._views.mask(each) for each in (first, second)]
            alignment = await self._threads.run(_aligned, *masks)
        return Comparison(
            first,
            second,
            {name: _measure(name, before, after) for name in MEASURES},
            Change(first.malignant_probability, second.malignant_probability),
            _probabilities(before, after),
            alignment,
        )


def _aligned(first: bytes, second: bytes) -> Alignment | None:
    return aligned(*(Image.open(io.BytesIO(each)) for each in (first, second)))


def _measure(name: str, before: Findings, after: Findings) -> Change:
    first, second = (
        getattr(each.segmentation, name) if each.segmentation else None for each in (before, after)
    )
    return Change(first, second)


def _probabilities(before: Findings, after: Findings) -> dict[str, Change]:
    first, second = (
        each.classification.probabilities if each.classification else {} for each in (before, after)
    )
    return {
        label: Change(first.get(label), second.get(label)) for label in sorted({*first, *second})
    }
