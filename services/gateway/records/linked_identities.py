"""Who users are at an identity provider, and who has just come from there."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from services.gateway.records.accounts import DIGEST_LENGTH
from services.gateway.records.base import ID_LENGTH, Record, UtcDateTime, new_id, now
from services.gateway.records.organisation import Belonging


class LinkedIdentity(Belonging, table=True):
    """What a user is known by at a provider: issuer and subject, which are never given to others.

    A provider's usernames and addresses may be, so they link nobody.
    """

    __tablename__ = "linked_identities"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: str = Field(default_factory=new_id, primary_key=True, max_length=ID_LENGTH)
    user_id: str = Field(
        foreign_key="users.id", ondelete="CASCADE", index=True, max_length=ID_LENGTH
    )
    issuer: str = Field(max_length=255)
    subject: str = Field(max_length=255)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class VouchedSignIn(Record, table=True):
    """Somebody for whom a provider has vouched, and who has not fetched their tokens yet.

    The digest is of what their browser shows to fetch them, once and within a minute.
    """

    __tablename__ = "vouched_sign_ins"

    digest: str = Field(primary_key=True, max_length=DIGEST_LENGTH)
    user_id: str = Field(
        foreign_key="users.id", ondelete="CASCADE", index=True, max_length=ID_LENGTH
    )
    provider_session: str | None = Field(default=None, max_length=DIGEST_LENGTH)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime, index=True)
