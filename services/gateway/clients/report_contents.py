"""What reports are made of, in the gateway's words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from services.gateway.clients.models import Evaluation
from services.gateway.records import Analysis, Batch, Lesion, Patient

Evaluated = Mapping[str, Evaluation]
"""How well models did, by the SHA-256 of the file that ran."""


@dataclass(frozen=True, slots=True)
class Letterhead:
    """What every report of an installation has.

    Attributes:
        institution: the line at its head; left out when empty.
        logo: a JPEG or PNG beside it; left out when empty.
        public_url: of the pages that reports lead to; empty for no links.

    """

    institution: str = ""
    logo: bytes = b""
    public_url: str = ""

    def link(self, path: str) -> str:
        """Return the address of a page; empty where nobody said where pages are."""
        return f"{self.public_url.rstrip('/')}{path}" if self.public_url else ""


@dataclass(frozen=True, slots=True)
class Pictures:
    """The pictures of an analysis; one that there is not is empty."""

    image: bytes = b""
    mask_png: bytes = b""
    explanation_png: bytes = b""


NoPicture = Literal["out_of_time", "lost"]
"""Why a picture is not shown: there was no time for it, or what was kept is gone, damaged
or not given."""


@dataclass(frozen=True, slots=True)
class Glimpse:
    """An analysis among others, with small pictures, or why there are none."""

    record: Analysis
    pictures: Pictures = Pictures()
    no_picture: NoPicture | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """Findings in plain language: by a language model of this name, or by the template."""

    text: str
    model: str | None


@dataclass(frozen=True, slots=True)
class AnalysisContents:
    """What is printed of one analysis.

    Attributes:
        record: of the analysis, which has an answer.
        pictures: its own.
        patient: that it is attached to.
        lesion: the same.
        earlier: analyses of the same lesion, oldest first.
        evaluated: how well its models did.
        told: its findings in plain language; None where operators want none.

    """

    record: Analysis
    pictures: Pictures
    patient: Patient | None
    lesion: Lesion | None
    earlier: Sequence[Glimpse]
    evaluated: Evaluated
    told: Told | None


@dataclass(frozen=True, slots=True)
class LesionContents:
    """What is printed of a lesion: its analyses, oldest first, each with an answer."""

    lesion: Lesion
    patient: Patient | None
    analyses: Sequence[Glimpse]
    evaluated: Evaluated


@dataclass(frozen=True, slots=True)
class BatchContents:
    """What is printed of a batch: what became of each picture; ``patients`` go by their ids."""

    batch: Batch
    rows: Sequence[Glimpse]
    patients: Mapping[str, Patient]
    evaluated: Evaluated
