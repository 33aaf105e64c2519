"""Organisations, and what it is to belong to one."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, text
from sqlmodel import Field

from services.gateway.records.base import ID_LENGTH, Record, UtcDateTime, new_id, now

DEFAULT_ORGANISATION = "00000000000070008000000000000000"
"""The organisation that every installation has; who registers for themselves joins it."""


class Organisation(Record, table=True):
    """Those who work together. Nobody sees anything of another organisation.

    Where ``shared``, its users see each other's records; elsewhere each sees only their own. The
    quotas are those of all together and of each user; None is what the settings say.
    """

    __tablename__ = "organisations"

    id: str = Field(default_factory=new_id, primary_key=True, max_length=ID_LENGTH)
    name: str = Field(unique=True, max_length=100)
    shared: bool = False
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    quota_bytes: int | None = Field(default=None, sa_type=BigInteger)
    quota_pictures: int | None = Field(default=None, sa_type=BigInteger)
    user_quota_bytes: int | None = Field(default=None, sa_type=BigInteger)
    user_quota_pictures: int | None = Field(default=None, sa_type=BigInteger)


class Belonging(Record):
    """What belongs to an organisation; which one is written by the session's scope."""

    organisation_id: str = Field(
        default="", foreign_key="organisations.id", ondelete="RESTRICT", max_length=ID_LENGTH
    )


class Made(Belonging):
    """What a user of an organisation made."""

    owner_id: str = Field(
        default="", foreign_key="users.id", ondelete="CASCADE", max_length=ID_LENGTH
    )


class Owned(Made):
    """What is made and removed again; what was removed is in sight of the purge only."""

    deleted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


def removed() -> Index:
    """Return an index of what was removed, for the table that it becomes part of."""
    some = text("deleted_at IS NOT NULL")
    return Index(None, "deleted_at", sqlite_where=some, postgresql_where=some)
