"""Analyses: what was sent, what was answered, and the digests of the pictures kept."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index
from sqlmodel import Field

from services.gateway.records.base import ID_LENGTH, UtcDateTime, new_id, now
from services.gateway.records.organisation import Owned

DIGEST_LENGTH = 64


class Analysis(Owned, table=True):
    """One picture and our whole answer about it.

    What is searched for has a column; the rest of the answer is kept as it was given.
    """

    __tablename__ = "analyses"
    __table_args__ = (
        *(
            Index("_".join(["ix_analyses", *columns]), *columns)
            for columns in (
                ("organisation_id", "created_at", "id"),
                ("organisation_id", "label", "created_at", "id"),
                ("organisation_id", "patient_id", "created_at", "id"),
                ("owner_id", "created_at", "id"),
                ("owner_id", "label", "created_at", "id"),
                ("owner_id", "patient_id", "created_at", "id"),
            )
        ),
    )

    id: str = Field(default_factory=new_id, primary_key=True, max_length=ID_LENGTH)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    status: str = Field(max_length=16)
    outcome: str = Field(max_length=16)
    label: str | None = Field(default=None, max_length=16)

    patient_id: str | None = Field(default=None, max_length=64)
    patient_name: str | None = Field(default=None, max_length=200)
    lesion_id: str | None = Field(default=None, max_length=64)
    body_site: str | None = Field(default=None, max_length=100)
    note: str | None = Field(default=None, max_length=2000)

    image_sha256: str = Field(index=True, max_length=DIGEST_LENGTH)
    image_format: str = Field(max_length=8)
    width: int
    height: int
    mask_sha256: str | None = Field(default=None, index=True, max_length=DIGEST_LENGTH)
    explanation_sha256: str | None = Field(default=None, index=True, max_length=DIGEST_LENGTH)

    findings: dict[str, Any] = Field(sa_type=JSON)
