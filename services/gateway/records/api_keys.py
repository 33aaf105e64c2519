"""Keys by which programs come in without a password."""

from datetime import datetime

from sqlalchemy import JSON, Index
from sqlmodel import Field

from services.gateway.records.base import ID_LENGTH, UtcDateTime, new_id, now
from services.gateway.records.organisation import Belonging

DIGEST_LENGTH = 64


class ApiKey(Belonging, table=True):
    """A key of a service, known by its digest; ``beginning`` is for people to tell it by."""

    __tablename__ = "api_keys"
    __table_args__ = (
        Index("ix_api_keys_organisation_id_created_at_id", "organisation_id", "created_at", "id"),
    )

    id: str = Field(default_factory=new_id, primary_key=True, max_length=ID_LENGTH)
    user_id: str = Field(
        foreign_key="users.id", ondelete="CASCADE", index=True, max_length=ID_LENGTH
    )
    name: str = Field(max_length=100)
    digest: str = Field(unique=True, max_length=DIGEST_LENGTH)
    beginning: str = Field(max_length=16)
    permissions: list[str] = Field(sa_type=JSON)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    last_used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
