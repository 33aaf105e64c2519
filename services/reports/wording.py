"""The page's sentences: measures, reasons and figures in plain, careful words."""

import datetime as dt
from typing import NamedTuple

PREDICTION = (
    "A prediction of the models named below, to be read together with the clinical findings."
)


class Measure(NamedTuple):
    """A field of the measures, its name on the page and its meaning in one line."""

    field: str
    name: str
    meaning: str
    is_share: bool = False
    """Shown as a percentage."""


MEASURES = (
    Measure("area_fraction", "Area", "Share of the picture inside the outline", is_share=True),
    Measure("asymmetry", "Asymmetry", "0 mirrors itself, 1 has no overlap with its mirror image"),
    Measure("border_irregularity", "Border irregularity", "0 a circle, 1 a ragged outline"),
    Measure("color_variegation", "Color variegation", "Spread of color inside: 0 even, 1 strong"),
)


class Reason(NamedTuple):
    """Why a picture is not good enough, and what would help."""

    why: str
    advice: str


_REASONS = {
    "too_small": Reason(
        "The picture has too few pixels to show the structure of a lesion.",
        "Send the picture at its original size.",
    ),
    "too_dark": Reason("The picture is too dark.", "Take it again with more light."),
    "too_bright": Reason("The picture is too bright.", "Take it again with less light."),
    "low_contrast": Reason(
        "The picture is nearly one flat color.", "Check light and contact of the dermatoscope."
    ),
    "blurred": Reason("The picture is blurred.", "Hold the dermatoscope still and focus again."),
    "no_lesion": Reason(
        "No lesion was found in the picture.", "Center the whole lesion with some skin around it."
    ),
    "not_dermoscopy": Reason(
        "The picture does not look like a dermoscopic picture of a lesion.",
        "Take it through a dermatoscope.",
    ),
}

WITHOUT_PREDICTION = "No probability is given. The lesion needs a clinical look all the same."


def reason(code: str) -> Reason:
    """Return a reason in words; one that is new to this service is shown by its code."""
    words = code.replace("_", " ").strip()
    return _REASONS.get(code, Reason(f"{words[:1].upper()}{words[1:]}.", ""))


def percent(share: float) -> str:
    """Return a share as a percentage that never rounds to an impossible or a certain event."""
    share = min(max(share, 0.0), 1.0)
    if 0 < share < 0.001:  # noqa: PLR2004 - what one decimal can show
        return "< 0.1 %"
    if 0.999 < share < 1:  # noqa: PLR2004 - the same at the other end
        return "> 99.9 %"
    return f"{100 * share:.1f} %"


def threshold(share: float) -> str:
    """Return an operating point with as many decimals as it was declared with, at most four."""
    return f"{100 * share:.4f}".rstrip("0").rstrip(".") + " %"


def moment(time: dt.datetime) -> str:
    """Return a UTC time for people, for example ``31 January 2026, 09:30 UTC``."""
    # Not strftime: the month's name would follow the machine's language.
    return f"{time.day} {_MONTHS[time.month - 1]} {time.year}, {time:%H:%M} UTC"


_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
