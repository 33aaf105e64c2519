"""A job of the line in somebody's hands."""

from dataclasses import dataclass
from typing import Self

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from services.gateway.database import Scope
from services.gateway.records import Analysis, Job, User


@dataclass(frozen=True, slots=True)
class Held:
    """A job that somebody has taken up.

    Attributes:
        holder: the name that they hold it under, never used before.
        record: the analysis to be made.
        scope: of its owner.
        wanted: whether its owner may still ask for anything.
        strikes: how often it failed in a way that may be the picture's own fault.
        deferrals: how often it was put off for what need not be.
        refusals: how many of these were for too much work.
        bulk: whether nobody waits for this picture in particular.
        request_id: of the request that it came with.

    """

    holder: str
    record: Analysis
    scope: Scope
    wanted: bool
    strikes: int
    deferrals: int
    refusals: int
    bulk: bool
    request_id: str | None

    @classmethod
    def of(cls, session: Session, job: Job, record: Analysis) -> Self:
        """Build it for who has just taken it up, with what its owner may see by now."""
        owner = session.scalars(select(User).where(col(User.id) == record.owner_id)).one()
        return cls(
            holder=str(job.holder),
            record=record,
            scope=Scope(record.organisation_id, owner.id, owner.organisation.shared),
            wanted=not owner.disabled,
            strikes=job.strikes,
            deferrals=job.deferrals,
            refusals=job.refusals,
            bulk=job.bulk,
            request_id=job.request_id,
        )
