"""What a language must have words for, and how it writes figures and dates."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

_MINUS = "\N{MINUS SIGN}"

ENGLISH_LABELS = {
    "akiec": "Actinic keratosis / intraepithelial carcinoma",
    "bcc": "Basal cell carcinoma",
    "bkl": "Benign keratosis-like lesion",
    "df": "Dermatofibroma",
    "mel": "Melanoma",
    "nv": "Melanocytic nevus",
    "vasc": "Vascular lesion",
}
"""As messages bring them."""


class Measure(NamedTuple):
    """A field of the measures, its name on the page and its meaning in one line."""

    field: str
    name: str
    meaning: str
    is_share: bool = False
    """Shown as a percentage."""


class Absence(NamedTuple):
    """Why a row shows no picture."""

    short: str
    """What stands in its place."""
    said: str
    """The same of several ``{rows}`` by their numbers."""


class Reason(NamedTuple):
    """Why a picture is not good enough, and what would help."""

    why: str
    advice: str


@dataclass(frozen=True)
class Wording:
    """One language. Braces in a sentence are filled by name; every language fills the same."""

    language: str
    """Its code, as RFC 5646 has it."""
    decimal: str
    months: Sequence[str]
    day: str
    """How a day is written, of ``day``, ``month`` and ``year``."""

    analysis_title: str
    lesion_title: str
    batch_title: str
    analysis_subject: str
    lesion_subject: str
    batch_subject: str
    analyzed: str
    requested: str
    created: str
    analysis: str
    lesion: str
    batch: str
    record: str
    page: str
    notices: Mapping[str, str]
    """The services' own notices as they come, and in this language."""

    patient: str
    patient_id: str
    born: str
    lesion_id: str
    body_site: str
    sexes: Mapping[str, str]
    sites: Mapping[str, str]
    """The ISIC Archive's general sites, by its own words for them."""

    most_probable: str
    probability: str
    malignant: str
    malignant_column: str
    suspicious: str
    not_suspicious: str
    operating_point: str
    measured: str
    interval: str
    prediction: str
    result: str
    cannot_assess: str
    no_prediction: str
    without_prediction: str

    outlined: str
    not_outlined: str
    spoke_for: str
    low: str
    high: str

    probabilities: str
    labels: Mapping[str, str]
    quality: str
    acceptable: str
    limited: str
    reasons: Mapping[str, Reason]
    measures_heading: str
    measures: Sequence[Measure]
    note: str

    opinion: str
    agrees: str
    disagrees: str
    cannot_tell: str
    machine_written: str
    machine_explained: str
    template_written: str
    template_explained: str

    earlier: str
    this_analysis: str
    picture: str
    date: str
    label: str
    change: str
    area: str
    change_explained: str
    clinician_says: str

    models: str
    figures: str
    figures_within: str
    metrics: Mapping[str, str]
    analyzed_picture: str
    mask: str
    prepared: str

    course: str
    analyses: str
    counts: str
    name: str
    about: str
    failed: str
    no_picture: Mapping[str, Absence]
    """Why a row has none, by the code of the reason."""

    missing_letters: str
    and_more: str

    def label_name(self, code: str, given: str) -> str:
        """Return a label's name: ours in this language, somebody else's as it was given."""
        ours = self.labels.get(code, "")
        return ours if given.strip() in ("", ENGLISH_LABELS.get(code)) else given

    def notice(self, given: str) -> str:
        """Return the notice: ours in this language, somebody else's as it was given."""
        return self.notices.get(given.strip(), given)

    def site(self, given: str) -> str:
        """Return a body site: a known one in this language, any other as it was given."""
        return self.sites.get(given.strip(), given)

    def metric(self, name: str) -> str:
        """Return what a figure of an evaluation is called; a new one goes by its own name."""
        return self.metrics.get(name, name.replace("_", " "))

    def reason(self, code: str) -> Reason:
        """Return a reason in words; one that is new to this service is shown by its code."""
        words = code.replace("_", " ").strip()
        return self.reasons.get(code, Reason(f"{words[:1].upper()}{words[1:]}.", ""))

    def number(self, value: float, digits: int) -> str:
        """Return a number with so many decimals."""
        return f"{value:.{digits}f}".replace(".", self.decimal).replace("-", _MINUS)

    def percent(self, share: float) -> str:
        """Return a share as a percentage that never rounds to an impossible or certain event."""
        share = min(max(share, 0.0), 1.0)
        if 0 < share < 0.001:  # noqa: PLR2004 - what one decimal can show
            return f"< {self.number(0.1, 1)} %"
        if 0.999 < share < 1:  # noqa: PLR2004 - the same at the other end
            return f"> {self.number(99.9, 1)} %"
        return f"{self.number(100 * share, 1)} %"

    def threshold(self, share: float) -> str:
        """Return an operating point with as many decimals as it was declared with, at most four."""
        digits = f"{100 * share:.4f}".rstrip("0").rstrip(".")
        return f"{digits.replace('.', self.decimal)} %"

    def points(self, before: float, after: float) -> str:
        """Return the change of a share in percentage points, with its sign.

        It is that of the shares as they are shown, so that whoever subtracts those gets the same.
        """
        tenths = round(10 * (round(100 * after, 1) - round(100 * before, 1)))
        return ("+" if tenths > 0 else "") + self.number(tenths / 10, 1)

    def date_of(self, day: dt.date) -> str:
        """Return a day for people, for example ``31 January 2026``."""
        # Not strftime: the month's name would follow the machine's language.
        return self.day.format(day=day.day, month=self.months[day.month - 1], year=day.year)

    def moment(self, time: dt.datetime) -> str:
        """Return a UTC time for people, for example ``31 January 2026, 09:30 UTC``."""
        return f"{self.date_of(time)}, {time:%H:%M} UTC"
