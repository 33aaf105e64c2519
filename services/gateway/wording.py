"""Figures, measures and reasons in plain, careful words, for whoever reads an answer in a page."""

import re
from typing import NamedTuple, Self

from services.gateway.clients import Evaluation
from services.gateway.findings import Segmentation

_BROKEN = re.compile(r"(?<=\d) %")

MALIGNANT = ("akiec", "bcc", "mel")
"""The labels whose probabilities are added up to the malignant one."""


class Measure(NamedTuple):
    """A measure of the outlined lesion.

    Attributes:
        name: of it.
        share: its value, 0..1.
        shown: the same for people.
        meaning: in one line.

    """

    name: str
    share: float
    shown: str
    meaning: str


class Reason(NamedTuple):
    """Why a picture cannot be assessed, and what would help."""

    why: str
    advice: str


class Measured(NamedTuple):
    """A share that was measured, and the ends of its 95 % interval where they are known."""

    share: float
    interval: tuple[float, float] | None = None

    @classmethod
    def of(cls, evaluation: Evaluation, name: str) -> Self | None:
        """Take a figure from an evaluation; None where it does not say."""
        share = evaluation.metrics.get(name)
        return None if share is None else cls(share, evaluation.intervals.get(name))


class Worth(NamedTuple):
    """What an operating point is worth, as measured on lesions that the model had not seen.

    Attributes:
        sensitivity: share of the malignant lesions that reached the threshold.
        specificity: share of the other ones that stayed below.
        measured_on: the split that made both.

    """

    sensitivity: Measured
    specificity: Measured
    measured_on: str

    @classmethod
    def of(cls, evaluation: Evaluation) -> Self | None:
        """Take it from the figures of an evaluation; None where they do not say."""
        sensitivity = Measured.of(evaluation, "suspicious_sensitivity")
        specificity = Measured.of(evaluation, "suspicious_specificity")
        if sensitivity is None or specificity is None:
            return None
        return cls(sensitivity, specificity, evaluation.evaluated_on)


_REASONS = {
    "too_small": Reason(
        "The picture has too few pixels to show what a lesion is made of.",
        "Send it in the size in which it was taken.",
    ),
    "too_dark": Reason("The picture is too dark.", "Take it again with more light."),
    "too_bright": Reason("The picture is too bright.", "Take it again with less light."),
    "low_contrast": Reason(
        "The picture is nearly all of one colour.",
        "See whether the dermatoscope is switched on and touches the skin.",
    ),
    "blurred": Reason(
        "The picture is blurred.", "Hold the dermatoscope still, focus, and take it again."
    ),
    "no_lesion": Reason(
        "No lesion was found in the picture.",
        "Take it again with the whole lesion in the middle and some skin around it.",
    ),
    "not_dermoscopy": Reason(
        "The picture does not look like a dermoscopic picture of a lesion.",
        "Take it through a dermatoscope, with nothing else in view.",
    ),
}
_UNKNOWN = Reason("The picture cannot be judged by the models.", "Take another picture.")


def reason(code: str) -> Reason:
    """Return a reason in words; one that is new to us is shown by its code."""
    plain = code.replace("_", " ")
    return _REASONS.get(code, _UNKNOWN._replace(why=f"The picture cannot be judged: {plain}."))


def measures(found: Segmentation) -> list[Measure]:
    """Return the measures of a lesion."""
    return [
        Measure(
            "Area",
            found.area_fraction,
            percent(found.area_fraction),
            "Share of the picture that the lesion covers. Its size is not known without a scale.",
        ),
        Measure(
            "Asymmetry",
            found.asymmetry,
            f"{found.asymmetry:.2f}",
            "0: one half mirrors the other. 1: they have nothing in common.",
        ),
        Measure(
            "Border",
            found.border_irregularity,
            f"{found.border_irregularity:.2f}",
            "0: as smooth as a circle. 1: very ragged.",
        ),
        Measure(
            "Colours",
            found.color_variegation,
            f"{found.color_variegation:.2f}",
            "0: of one colour. 1: of many, far apart.",
        ),
    ]


def whole_figures(text: str) -> str:
    """Return a text whose percentages are not broken between the number and its sign."""
    return _BROKEN.sub("\u00a0%", text)


def percent(share: float | None) -> str:
    """Return a share as a percentage that looks neither impossible nor certain unless it is.

    What is not known is a dash.
    """
    if share is None:
        return "\N{EN DASH}"
    if 0 < share < 0.001:  # noqa: PLR2004 - the least that one decimal shows
        return "< 0.1\u00a0%"
    if 0.999 < share < 1:  # noqa: PLR2004 - and the most
        return "> 99.9\u00a0%"
    return f"{100 * share:.1f}\u00a0%"


def of_hundred(share: float) -> int:
    """Return how many of a hundred that is."""
    return round(100 * share)
