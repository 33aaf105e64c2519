"""Webhooks: where an organisation wants to be told what happens, and what is to be told."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, BigInteger, Index, text
from sqlmodel import Field

from services.gateway.records.base import ID_LENGTH, UtcDateTime, new_id, now
from services.gateway.records.organisation import Belonging, Made

URL_LENGTH = 2000
SEALED_LENGTH = 200
KIND_LENGTH = 64
ERROR_LENGTH = 16

_WAITS = text("next_at IS NOT NULL")


class Disabled(StrEnum):
    """Why nothing is sent to a webhook."""

    BY_USER = "by_user"
    GONE = "gone"
    FAILING = "failing"


class DeliveryState(StrEnum):
    """How far a delivery is."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


class Webhook(Made, table=True):
    """A receiver. It is told of what its owner may see; ``kinds`` empty means all kinds.

    ``told`` is the number of the last event that deliveries were made of.

    ``failing_since`` is when the first attempt failed after the last success. Nothing is sent
    before ``resting_until``, because the receiver asked for it.
    """

    __tablename__ = "webhooks"
    __table_args__ = (
        Index("ix_webhooks_organisation_id_created_at_id", "organisation_id", "created_at", "id"),
        Index("ix_webhooks_owner_id_created_at_id", "owner_id", "created_at", "id"),
    )

    id: str = Field(default_factory=new_id, primary_key=True, max_length=ID_LENGTH)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    revision: int = 1
    url: str = Field(max_length=URL_LENGTH)
    description: str = Field(default="", max_length=200)
    kinds: list[str] = Field(default_factory=list, sa_type=JSON)
    disabled: str | None = Field(default=None, max_length=16)
    told: int = Field(default=0, sa_type=BigInteger)
    failing_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    resting_until: datetime | None = Field(default=None, sa_type=UtcDateTime)


class WebhookSecret(Belonging, table=True):
    """What the messages of a webhook are signed with, sealed; the former ones until they expire."""

    __tablename__ = "webhook_secrets"

    id: str = Field(default_factory=new_id, primary_key=True, max_length=ID_LENGTH)
    webhook_id: str = Field(
        foreign_key="webhooks.id", ondelete="CASCADE", index=True, max_length=ID_LENGTH
    )
    sealed: str = Field(max_length=SEALED_LENGTH)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Delivery(Belonging, table=True):
    """A message for a webhook: what it says, and how far it is.

    ``message_id`` is what the receiver tells messages by. ``attempts`` counts since it was made or
    replayed. ``next_at`` is when it is tried next, None when it is not; whoever tries it moves that
    on beforehand, and ``holder`` is their mark.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        Index("ix_webhook_deliveries_webhook_id_created_at_id", "webhook_id", "created_at", "id"),
        Index(
            "ix_webhook_deliveries_webhook_id_next_at",
            "webhook_id",
            "next_at",
            sqlite_where=_WAITS,
            postgresql_where=_WAITS,
        ),
    )

    id: str = Field(default_factory=new_id, primary_key=True, max_length=ID_LENGTH)
    webhook_id: str = Field(foreign_key="webhooks.id", ondelete="CASCADE", max_length=ID_LENGTH)
    message_id: str = Field(max_length=ID_LENGTH)
    kind: str = Field(max_length=KIND_LENGTH)
    subject_id: str | None = Field(default=None, max_length=ID_LENGTH)
    occurred_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime, index=True)
    state: str = Field(default=DeliveryState.WAITING, max_length=16)
    attempts: int = 0
    attempted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    status_code: int | None = None
    error: str | None = Field(default=None, max_length=ERROR_LENGTH)
    next_at: datetime | None = Field(default_factory=now, sa_type=UtcDateTime)
    holder: str | None = Field(default=None, max_length=ID_LENGTH)
