"""Requests that may come again and are to be carried out once."""

from datetime import datetime

from sqlmodel import Field

from services.gateway.records.base import ID_LENGTH, Record, UtcDateTime, new_id, now

DIGEST_LENGTH = 64


class KeyedRequest(Record, table=True):
    """A request with an Idempotency-Key, known by the digest of its caller, operation and key.

    ``made_id`` is the id that what it makes has, chosen before anything is made. ``holder`` works
    on it until ``held_until``, or until it is ``done``.
    """

    __tablename__ = "keyed_requests"

    digest: str = Field(primary_key=True, max_length=DIGEST_LENGTH)
    fingerprint: str = Field(max_length=DIGEST_LENGTH)
    made_id: str = Field(default_factory=new_id, max_length=ID_LENGTH)
    holder: str = Field(default_factory=new_id, max_length=ID_LENGTH)
    held_until: datetime = Field(sa_type=UtcDateTime)
    done: bool = False
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime, index=True)
