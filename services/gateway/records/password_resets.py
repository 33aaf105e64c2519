"""Codes with which somebody who has forgotten their password chooses a new one."""

from datetime import datetime

from sqlmodel import Field

from services.gateway.records.base import ID_LENGTH, Record, UtcDateTime

DIGEST_LENGTH = 64


class PasswordReset(Record, table=True):
    """The one code of a user, known by its digest; who uses it takes it away."""

    __tablename__ = "password_resets"

    user_id: str = Field(
        primary_key=True, foreign_key="users.id", ondelete="CASCADE", max_length=ID_LENGTH
    )
    digest: str = Field(unique=True, max_length=DIGEST_LENGTH)
    expires_at: datetime = Field(sa_type=UtcDateTime)
