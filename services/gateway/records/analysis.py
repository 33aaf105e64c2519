"""Analyses: what was sent, what was answered, and the digests of the pictures kept."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, text
from sqlmodel import Field

from services.gateway.records.assessments import REASON_LENGTH
from services.gateway.records.base import ID_LENGTH, UtcDateTime, new_id, now
from services.gateway.records.organisation import Owned, removed

DIGEST_LENGTH = 64
FILE_NAME_LENGTH = 255
REASONS_LENGTH = 200
_MOST_MS = 2**31 - 1
"""That a column has room for; it would be weeks."""

_WHOSE = ("organisation_id", "owner_id")


def _searched(*columns: str) -> Iterator[Index]:
    """Yield indexes by which analyses are found within what somebody may see, newest first."""
    for whose in _WHOSE:
        found_by = (whose, *columns, "created_at", "id")
        yield Index("_".join(["ix_analyses", *found_by]), *found_by)


def _some(name: str, which: str, *columns: str, sqlite: str | None = None) -> Iterator[Index]:
    """Yield indexes of only those that meet a condition, so that the others pay nothing."""
    where: dict[str, Any] = {"postgresql_where": text(which), "sqlite_where": text(sqlite or which)}
    for whose in _WHOSE:
        yield Index(f"ix_analyses_{whose}_{name}", whose, *columns, **where)


class Status(StrEnum):
    """How far an analysis is."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class Time(StrEnum):
    """What of inference's time is meant, by the column that keeps it.

    The whole is from a picture's arrival to its answer, with every wait. The others are those of
    the models alone, summed over them, who wait and run side by side: until a runner is free, and
    inside the runtime. Reading the picture and drawing what was found is in neither.
    """

    WHOLE = "total_ms"
    QUEUE = "queue_ms"
    RUN = "run_ms"


def kept_times(timings: Mapping[str, float]) -> dict[str, int | None]:
    """Return the columns for the milliseconds that an answer tells, None for what it does not."""
    return {
        time.value: min(round(timings[time]), _MOST_MS) if time in timings else None
        for time in Time
    }


UNFILLED = text("status = 'succeeded' AND queue_ms IS NULL AND findings IS NOT NULL")
"""Answers that a version before has written, without all columns that are counted.

These came last: who lacks another one lacks them too, and every answer tells what they keep. Both
databases find them by their index only where it is said in the same words.
"""

_UNFILLED_BEFORE = text("status = 'succeeded' AND total_ms IS NULL AND findings IS NOT NULL")
"""What replicas of the version before look for, and build the index for where there is none."""

UNFINISHED = (Status.QUEUED, Status.RUNNING)
"""Of what still changes by itself."""


class Analysis(Owned, table=True):
    """One picture and our whole answer about it.

    What is searched for or counted has a column; the rest of the answer is kept as it was given.
    What is not known yet is null, and so is what a picture has that could not be read. ``problem``
    says why an analysis has failed: the kind of error by its slug, and the sentence.
    ``cannot_assess_reasons`` has a space between them. ``total_ms`` is how long inference took, of
    which ``queue_ms`` and ``run_ms`` say what its models waited and ran.
    """

    __tablename__ = "analyses"
    __table_args__ = (
        *_searched(),
        *_searched("label"),
        *_searched("patient_id"),
        *_searched("status"),
        *_some("body_site", "body_site IS NOT NULL", "body_site", "created_at", "id"),
        *_some("cannot_assess", "outcome = 'cannot_assess'", "created_at", "id"),
        *_some("suspicious", "suspicious", "created_at", "id", sqlite="suspicious = 1"),
        *_some(
            "malignant_probability",
            "malignant_probability IS NOT NULL",
            "malignant_probability",
            "id",
        ),
        *(
            Index(f"ix_analyses_{of}_created_at_id", of, "created_at", "id")
            for of in ("patient", "lesion")
        ),
        Index(
            "ix_analyses_batch_created_at_id",
            "batch",
            "created_at",
            "id",
            sqlite_where=text("batch IS NOT NULL"),
            postgresql_where=text("batch IS NOT NULL"),
        ),
        # All that statistics count, so that they need not look at the rows.
        Index(
            "ix_analyses_counted",
            "organisation_id",
            "created_at",
            "deleted_at",
            "owner_id",
            "status",
            "label",
            "suspicious",
            "cannot_assess_reasons",
            "verdict",
            "total_ms",
        ),
        Index(
            "ix_analyses_timed",
            "organisation_id",
            "created_at",
            "deleted_at",
            "owner_id",
            "queue_ms",
            "run_ms",
        ),
        Index("ix_analyses_untimed", "id", sqlite_where=UNFILLED, postgresql_where=UNFILLED),
        Index(
            "ix_analyses_unfilled",
            "id",
            sqlite_where=_UNFILLED_BEFORE,
            postgresql_where=_UNFILLED_BEFORE,
        ),
        removed(),
    )

    id: str = Field(default_factory=new_id, primary_key=True, max_length=ID_LENGTH)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    status: str = Field(max_length=16)
    outcome: str | None = Field(default=None, max_length=16)
    label: str | None = Field(default=None, max_length=16)

    batch: str | None = Field(
        default=None, foreign_key="batches.id", ondelete="SET NULL", max_length=ID_LENGTH
    )
    file_name: str | None = Field(default=None, max_length=FILE_NAME_LENGTH)
    patient: str | None = Field(
        default=None, foreign_key="patients.id", ondelete="SET NULL", max_length=ID_LENGTH
    )
    lesion: str | None = Field(
        default=None, foreign_key="lesions.id", ondelete="SET NULL", max_length=ID_LENGTH
    )
    patient_id: str | None = Field(default=None, max_length=64)
    patient_name: str | None = Field(default=None, max_length=200)
    lesion_id: str | None = Field(default=None, max_length=64)
    body_site: str | None = Field(default=None, max_length=100)
    note: str | None = Field(default=None, max_length=2000)

    image_sha256: str | None = Field(default=None, index=True, max_length=DIGEST_LENGTH)
    image_format: str | None = Field(default=None, max_length=8)
    width: int | None = None
    height: int | None = None
    mask_sha256: str | None = Field(default=None, index=True, max_length=DIGEST_LENGTH)
    explanation_sha256: str | None = Field(default=None, index=True, max_length=DIGEST_LENGTH)

    kept_bytes: int | None = Field(default=None, sa_type=BigInteger)

    # What a clinician says beside our answer; the revision counts on when it is withdrawn.
    verdict: str | None = Field(default=None, max_length=16)
    verdict_reason: str | None = Field(default=None, max_length=REASON_LENGTH)
    assessed_by: str | None = Field(default=None, max_length=64)
    assessed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    assessment_revision: int | None = None

    malignant_probability: float | None = None
    suspicious: bool | None = None
    cannot_assess_reasons: str | None = Field(default=None, max_length=REASONS_LENGTH)
    total_ms: int | None = None
    queue_ms: int | None = None
    run_ms: int | None = None

    findings: dict[str, Any] | None = Field(default=None, sa_type=JSON(none_as_null=True))
    problem: dict[str, str] | None = Field(default=None, sa_type=JSON(none_as_null=True))
