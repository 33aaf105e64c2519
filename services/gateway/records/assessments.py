"""What clinicians say of our answers, beside them."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index
from sqlmodel import Field

from services.gateway.records.base import ID_LENGTH, UtcDateTime, new_id, now
from services.gateway.records.organisation import Belonging

REASON_LENGTH = 2000


class Verdict(StrEnum):
    """What a clinician takes a lesion for: one of the seven labels, or none of them for certain."""

    AKIEC = "akiec"
    BCC = "bcc"
    BKL = "bkl"
    DF = "df"
    MEL = "mel"
    NV = "nv"
    VASC = "vasc"
    CANNOT_TELL = "cannot_tell"


def agrees(verdict: str, label: str | None) -> bool:
    """Say whether a verdict is our answer; who agrees that nothing can be said cannot tell."""
    return verdict == (label or Verdict.CANNOT_TELL)


class Assessment(Belonging, table=True):
    """One step in the history of an analysis's assessment: made, changed, or withdrawn.

    Nobody changes or removes a step; it goes with its analysis. ``verdict`` is None where the
    assessment was withdrawn. What is true now stands with the analysis itself. Whoever may see the
    analysis may see what was said of it, whoever said it: it is found by its analysis only.
    """

    __tablename__ = "assessments"
    __table_args__ = (
        Index("ix_assessments_analysis_created_at_id", "analysis", "created_at", "id"),
    )

    id: str = Field(default_factory=new_id, primary_key=True, max_length=ID_LENGTH)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    analysis: str = Field(foreign_key="analyses.id", ondelete="CASCADE", max_length=ID_LENGTH)
    user_id: str = Field(
        foreign_key="users.id",
        ondelete="CASCADE",
        max_length=ID_LENGTH,
        sa_column_kwargs={"name": "owner_id"},
    )
    username: str = Field(max_length=64)
    verdict: str | None = Field(default=None, max_length=16)
    reason: str | None = Field(default=None, max_length=REASON_LENGTH)
