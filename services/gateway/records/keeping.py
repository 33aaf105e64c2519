"""How much is kept for whom, and which pictures are being removed."""

from datetime import datetime

from sqlalchemy import BigInteger
from sqlmodel import Field

from services.gateway.records.base import ID_LENGTH, UtcDateTime, new_id, now
from services.gateway.records.organisation import Belonging

DIGEST_LENGTH = 64


class Usage(Belonging, table=True):
    """What is kept for a user, or for a whole organisation: ``holder_id`` is the id of either.

    Counted in the transactions that add and purge records.
    """

    __tablename__ = "usage"

    holder_id: str = Field(primary_key=True, max_length=ID_LENGTH)
    bytes: int = Field(default=0, sa_type=BigInteger)
    pictures: int = Field(default=0, sa_type=BigInteger)


class Removal(Belonging, table=True):
    """A picture that no record had when this was written, and that goes, or has gone, since.

    Each removal of the same has another ``token``.
    """

    __tablename__ = "removals"

    organisation_id: str = Field(
        default="",
        foreign_key="organisations.id",
        ondelete="RESTRICT",
        max_length=ID_LENGTH,
        primary_key=True,
    )
    name: str = Field(primary_key=True, max_length=DIGEST_LENGTH)
    token: str = Field(default_factory=new_id, max_length=ID_LENGTH)
    marked_at: datetime = Field(default_factory=now, sa_type=UtcDateTime, index=True)
    done: bool = False
