"""Tickets with which a page opens a stream of events without a token in its address."""

from datetime import datetime

from sqlmodel import Field

from services.gateway.records.base import ID_LENGTH, Record, UtcDateTime

DIGEST_LENGTH = 64


class StreamTicket(Record, table=True):
    """A ticket of a sign-in, known by its digest; who uses it takes it away."""

    __tablename__ = "stream_tickets"

    digest: str = Field(primary_key=True, max_length=DIGEST_LENGTH)
    sign_in_id: str = Field(
        foreign_key="sign_ins.id", ondelete="CASCADE", index=True, max_length=ID_LENGTH
    )
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)
