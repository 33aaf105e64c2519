"""An analysis made once more from the kept picture, held against the record of the first."""

import io
from dataclasses import dataclass

from PIL import Image, ImageChops

from services.gateway import errors
from services.gateway.analyses.answer import findings_of
from services.gateway.analyses.views import Views
from services.gateway.clients import Inference
from services.gateway.deadlines import Deadline
from services.gateway.findings import Classification, Findings
from services.gateway.records import Analysis
from services.gateway.threads import Threads

PROBABILITY_TOLERANCE = 0.02
"""No probability may differ by more: what another backend, or a copy of the picture in another
size, may change (see the model cards)."""

MASK_TOLERANCE = 0.02
"""Nor may 1 - Dice of the two masks be more."""


@dataclass(frozen=True, slots=True)
class Replay:
    """What became of a second look.

    Attributes:
        picture_intact: whether picture and mask are there, and those that were kept, by their
            SHA-256; if not, there is nothing to compare with, and nothing was asked.
        same_method: whether models, their files, preprocessing and thresholds were the same; what
            ran them may differ.
        same_outcome: whether outcome, label, what is marked as suspicious, and reasons came out
            the same.
        probability_difference: the largest of any label; None where either was not assessed.
        mask_difference: 1 - Dice of the two masks, 1 where only one has a lesion; None where
            nothing was asked.
        now: what was found now; None where nothing was asked.

    """

    picture_intact: bool
    same_method: bool = False
    same_outcome: bool = False
    probability_difference: float | None = None
    mask_difference: float | None = None
    now: Findings | None = None

    @property
    def agrees(self) -> bool:
        """Whether the second answer is the first, within the tolerances."""
        return (
            self.picture_intact
            and self.same_outcome
            and (self.probability_difference or 0.0) <= PROBABILITY_TOLERANCE
            and self.mask_difference is not None
            and self.mask_difference <= MASK_TOLERANCE
        )


class Replays:
    """Analyzes kept pictures again; nothing is recorded of it."""

    def __init__(self, inference: Inference, views: Views, threads: Threads) -> None:
        """Build from what a second look needs.

        Args:
            inference: judges pictures.
            views: has the kept ones.
            threads: where masks are compared.

        """
        self._inference = inference
        self._views = views
        self._threads = threads

    async def replay(self, record: Analysis, deadline: Deadline) -> Replay:
        """Analyze the picture of a record again, and compare.

        Raises:
            NotFoundError: the analysis has failed.
            NotFinishedError: there is no answer yet.
            InvalidPictureError: inference cannot use the picture.
            UnavailableError: inference is down or has too much to do.
            DeadlinePassedError: no answer in time.
            UpstreamError: inference failed.

        """
        then = findings_of(record, "answer to compare with")
        try:
            picture = await self._views.image(record)
            mask = await self._views.mask(record) if record.mask_sha256 else b""
        except (errors.DamagedPictureError, errors.LostPictureError):
            return Replay(picture_intact=False)
        answer = await self._inference.analyze(picture, deadline)
        now = answer.findings
        return Replay(
            picture_intact=True,
            same_method=_method(then) == _method(now),
            same_outcome=_outcome(record.outcome, then) == _outcome(answer.outcome, now),
            probability_difference=_apart(then.classification, now.classification),
            mask_difference=await self._threads.run(_unlike, mask, answer.mask_png),
            now=now,
        )


def _method(found: Findings) -> object:
    """Return what must be the same for the same answer; old records lack some of it."""
    models = sorted((model.name, model.version, model.sha256) for model in found.models)
    return models, found.method


def _outcome(outcome: str | None, found: Findings) -> object:
    said = found.classification
    return outcome, said and (said.label, said.suspicious), found.quality.reasons


def _apart(then: Classification | None, now: Classification | None) -> float | None:
    if then is None or now is None:
        return None
    return max(
        abs(then.probabilities[label] - now.probabilities[label]) for label in then.probabilities
    )


def _unlike(then: bytes, now: bytes) -> float:
    """Return 1 - Dice (L. R. Dice, Ecology 26, 1945) of two masks, empty where there is none."""
    if then == now:
        return 0.0
    if not then or not now:
        return 1.0
    first, second = (Image.open(io.BytesIO(mask)).convert("L") for mask in (then, now))
    if first.size != second.size:
        return 1.0
    total = _inside(first) + _inside(second)
    return 1 - 2 * _inside(ImageChops.darker(first, second)) / total if total else 0.0


def _inside(mask: Image.Image) -> int:
    return mask.histogram()[255]
