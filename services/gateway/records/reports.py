"""Reports that were asked for: by whom, and what they were given."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field

from services.gateway.records.base import ID_LENGTH, UtcDateTime, new_id, now
from services.gateway.records.organisation import Made

DIGEST_LENGTH = 64


class ReportRequest(Made, table=True):
    """A report that its owner asked for: of an analysis, a lesion or a batch.

    The PDF itself is not kept. ``sha256`` and ``size_bytes`` are of what was given; where nothing
    was, ``problem`` says why, by the slug of the kind of error.
    """

    __tablename__ = "report_requests"
    __table_args__ = tuple(
        Index(f"ix_report_requests_{subject}_created_at_id", subject, "created_at", "id")
        for subject in ("analysis", "batch", "lesion")
    )

    id: str = Field(default_factory=new_id, primary_key=True, max_length=ID_LENGTH)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    analysis: str | None = Field(
        default=None, foreign_key="analyses.id", ondelete="CASCADE", max_length=ID_LENGTH
    )
    batch: str | None = Field(
        default=None, foreign_key="batches.id", ondelete="CASCADE", max_length=ID_LENGTH
    )
    lesion: str | None = Field(
        default=None, foreign_key="lesions.id", ondelete="CASCADE", max_length=ID_LENGTH
    )
    sha256: str | None = Field(default=None, max_length=DIGEST_LENGTH)
    size_bytes: int | None = None
    problem: str | None = Field(default=None, max_length=64)
