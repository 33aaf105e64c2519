"""Analyses that are still to be made: the line in which they wait, shared by all replicas."""

from datetime import UTC, datetime

from sqlmodel import Field

from services.gateway.records.base import ID_LENGTH, Record, UtcDateTime, new_id, now

REQUEST_ID_LENGTH = 64


class Job(Record, table=True):
    """A kept picture that waits for its analysis; the row goes when the analysis is there.

    It holds nothing but ids and moments, so it belongs to nobody: whose the picture is, its
    analysis says. ``turn_at`` is its place in the line, and it is taken up when ``due_at`` has
    come. Who takes it up writes a new ``holder`` and a later ``due_at``; whoever finds another
    holder has lost it. ``strikes`` counts what may have been the picture's own fault, ``deferrals``
    what need not have been, and ``refusals`` which of these were for too much work.
    """

    __tablename__ = "jobs"

    analysis_id: str = Field(
        foreign_key="analyses.id", ondelete="CASCADE", primary_key=True, max_length=ID_LENGTH
    )
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    turn_at: datetime = Field(default_factory=now, sa_type=UtcDateTime, index=True)
    # Long since, so that what is new is due by every clock: that of another host may be behind.
    due_at: datetime = Field(default=datetime.fromtimestamp(0, UTC), sa_type=UtcDateTime)
    holder: str | None = Field(default=None, max_length=ID_LENGTH)
    strikes: int = 0
    # Gateways of the version before, which are replaced one by one, do not know of them.
    deferrals: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    refusals: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    bulk: bool = False
    request_id: str | None = Field(default=None, max_length=REQUEST_ID_LENGTH)


def new_holder() -> str:
    """Return a name that nobody held a job under before."""
    return new_id()
