"""Tries of a password that were not right so far, and the places that accounts are used from."""

from datetime import datetime

from sqlmodel import Field

from services.gateway.records.base import ID_LENGTH, Record, UtcDateTime, now

DIGEST_LENGTH = 64


class FailedAttempts(Record, table=True):
    """How often passwords of one username were tried from one place without success.

    The digest is of both: somebody may have typed a password where the username goes.
    """

    __tablename__ = "failed_attempts"

    digest: str = Field(primary_key=True, max_length=DIGEST_LENGTH)
    count: int = 0
    last_at: datetime = Field(default_factory=now, sa_type=UtcDateTime, index=True)
    open_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class FamiliarPlace(Record, table=True):
    """A device or a network, known by its digest, from which a user has signed in before."""

    __tablename__ = "familiar_places"

    user_id: str = Field(
        foreign_key="users.id", ondelete="CASCADE", primary_key=True, max_length=ID_LENGTH
    )
    digest: str = Field(primary_key=True, max_length=DIGEST_LENGTH)
    used_at: datetime = Field(default_factory=now, sa_type=UtcDateTime, index=True)
