"""What happened to records, for those who watch: ids and kinds, never anything of a patient."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Index, UniqueConstraint
from sqlmodel import Field

from services.gateway.records.base import ID_LENGTH, Record, UtcDateTime, new_id, now
from services.gateway.records.organisation import Made


class EventKind(StrEnum):
    """What can happen; ``EVENT_MEANING`` says what each is."""

    ANALYSIS_SUCCEEDED = "analysis.succeeded"
    ANALYSIS_FAILED = "analysis.failed"
    ANALYSIS_ASSESSED = "analysis.assessed"
    ANALYSIS_REMOVED = "analysis.removed"
    BATCH_FINISHED = "batch.finished"
    PATIENT_CREATED = "patient.created"
    PATIENT_CHANGED = "patient.changed"
    PATIENT_REMOVED = "patient.removed"
    LESION_CREATED = "lesion.created"
    LESION_CHANGED = "lesion.changed"
    LESION_REMOVED = "lesion.removed"


EVENT_MEANING = {
    EventKind.ANALYSIS_SUCCEEDED: "A picture was analyzed; the analysis can be read.",
    EventKind.ANALYSIS_FAILED: "A picture could not be analyzed; the analysis says why.",
    EventKind.ANALYSIS_ASSESSED: "A clinician's assessment of an analysis was made, changed or "
    "withdrawn.",
    EventKind.ANALYSIS_REMOVED: "An analysis was removed, by itself or with its lesion or patient.",
    EventKind.BATCH_FINISHED: "No picture of a batch is waited for any more; told once of each.",
    EventKind.PATIENT_CREATED: "A patient was made.",
    EventKind.PATIENT_CHANGED: "A patient was changed.",
    EventKind.PATIENT_REMOVED: "A patient was removed.",
    EventKind.LESION_CREATED: "A lesion was made.",
    EventKind.LESION_CHANGED: "A lesion was changed.",
    EventKind.LESION_REMOVED: "A lesion was removed, by itself or with its patient.",
}


class Event(Made, table=True):
    """Something that happened to a record, in the transaction in which it happened.

    It belongs to the owner of the record. ``number`` counts within an organisation, without gaps,
    and in the order in which transactions are committed: who has seen one has seen, or could not
    see, all before it.
    """

    __tablename__ = "events"
    __table_args__ = (
        UniqueConstraint("organisation_id", "number"),
        Index("ix_events_owner_id_number", "owner_id", "number"),
    )

    id: str = Field(default_factory=new_id, primary_key=True, max_length=ID_LENGTH)
    number: int = Field(sa_type=BigInteger)
    kind: str = Field(max_length=64)
    subject_id: str = Field(max_length=ID_LENGTH)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime, index=True)


class EventCount(Record, table=True):
    """How many events an organisation has had, those that are not kept any more included."""

    __tablename__ = "event_counts"

    organisation_id: str = Field(
        primary_key=True, foreign_key="organisations.id", ondelete="CASCADE", max_length=ID_LENGTH
    )
    count: int = Field(sa_type=BigInteger)
