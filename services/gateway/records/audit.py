"""Who did what: rows that are only ever added, each chained to the one before it."""

from sqlalchemy import BigInteger, Index, Text
from sqlmodel import Field

from services.gateway.records.base import ID_LENGTH
from services.gateway.records.organisation import Belonging

DIGEST_LENGTH = 64
KEY_LENGTH = 16


class AuditRow(Belonging, table=True):
    """One thing that somebody did, or was refused; ``docs/audit.md`` explains the columns.

    What is hashed is kept as it is hashed: moments and lists are text, so that no database
    gives back another form of them than it was given.
    """

    __tablename__ = "audit"
    __table_args__ = (
        Index("ix_audit_organisation_id_at", "organisation_id", "at"),
        Index(
            "ix_audit_organisation_id_user_id_sequence", "organisation_id", "user_id", "sequence"
        ),
    )

    organisation_id: str = Field(
        default="",
        primary_key=True,
        foreign_key="organisations.id",
        ondelete="RESTRICT",
        max_length=ID_LENGTH,
    )
    sequence: int = Field(primary_key=True, sa_type=BigInteger)
    at: str = Field(max_length=27)

    user_id: str | None = Field(default=None, max_length=ID_LENGTH)
    sign_in_id: str | None = Field(default=None, max_length=ID_LENGTH)
    api_key_id: str | None = Field(default=None, max_length=ID_LENGTH)
    operator: str | None = Field(default=None, max_length=64)

    action: str = Field(max_length=64)
    operation: str = Field(max_length=64)
    subject: str | None = Field(default=None, max_length=32)
    subject_ids: str | None = Field(default=None, sa_type=Text)
    detail: str | None = Field(default=None, sa_type=Text)

    address: str | None = Field(default=None, max_length=64)
    request_id: str | None = Field(default=None, max_length=64)
    outcome: str = Field(max_length=16)
    status: int | None = None
    problem: str | None = Field(default=None, max_length=64)

    key: str | None = Field(default=None, max_length=KEY_LENGTH)
    previous: str = Field(max_length=DIGEST_LENGTH)
    hash: str = Field(max_length=DIGEST_LENGTH)


class AuditHead(Belonging, table=True):
    """Where the chain of an organisation ends now; ``seal`` is over the other columns."""

    __tablename__ = "audit_heads"

    organisation_id: str = Field(
        default="",
        primary_key=True,
        foreign_key="organisations.id",
        ondelete="RESTRICT",
        max_length=ID_LENGTH,
    )
    sequence: int = Field(sa_type=BigInteger)
    hash: str = Field(max_length=DIGEST_LENGTH)
    key: str | None = Field(default=None, max_length=KEY_LENGTH)
    seal: str = Field(max_length=DIGEST_LENGTH)
