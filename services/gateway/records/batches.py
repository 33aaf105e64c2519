"""Batches: many pictures that came in one request."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field

from services.gateway.records.base import ID_LENGTH, UtcDateTime, new_id, now
from services.gateway.records.organisation import Owned, removed


class Batch(Owned, table=True):
    """Pictures that came together; each has an analysis, which says what became of it."""

    __tablename__ = "batches"
    __table_args__ = (
        Index("ix_batches_organisation_id_created_at_id", "organisation_id", "created_at", "id"),
        Index("ix_batches_owner_id_created_at_id", "owner_id", "created_at", "id"),
        removed(),
    )

    id: str = Field(default_factory=new_id, primary_key=True, max_length=ID_LENGTH)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    pictures: int
