"""Summaries that a machine wrote, or failed to write."""

from datetime import datetime
from enum import StrEnum

from sqlmodel import Field

from services.gateway.records.base import ID_LENGTH, UtcDateTime
from services.gateway.records.organisation import Belonging

MODEL_LENGTH = 100
TEXT_LENGTH = 700


class NarrativeState(StrEnum):
    """What became of a summary."""

    ASKED = "asked"
    WRITTEN = "written"
    REFUSED = "refused"
    FAILED = "failed"


class Narrative(Belonging, table=True):
    """What one model wrote of one analysis in one language; it is asked once.

    ``text`` is there once it is written. One that may not be shown is refused and not kept.
    """

    __tablename__ = "narratives"

    analysis: str = Field(
        primary_key=True, foreign_key="analyses.id", ondelete="CASCADE", max_length=ID_LENGTH
    )
    model: str = Field(primary_key=True, max_length=MODEL_LENGTH)
    language: str = Field(primary_key=True, max_length=2)
    asked_at: datetime = Field(sa_type=UtcDateTime)
    state: str = Field(default=NarrativeState.ASKED, max_length=8)
    text: str | None = Field(default=None, max_length=TEXT_LENGTH)
    written_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
