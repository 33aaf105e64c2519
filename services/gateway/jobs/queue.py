"""The line in which kept pictures wait for their analysis: a table, shared by all replicas.

Who takes a job up holds it for a while and says again and again that they still do. Who does not
say so any more, because the process was killed, has lost it, and another one takes it up. Whatever
a holder writes is written only if the job is still theirs, in the same transaction that ends the
job; so an analysis gets one result, though two may have worked on it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import bindparam, case, delete, func, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from services import telemetry
from services.gateway import errors
from services.gateway.database import ENDED, EVERYTHING, AdvisoryLock, Database, publish
from services.gateway.jobs.held import Held
from services.gateway.metrics import Metrics
from services.gateway.records import UNFINISHED, Analysis, Job, Status, new_holder, now
from services.gateway.records.base import UtcDateTime

_APART = timedelta(seconds=1)
"""How much later each picture of a batch has its turn than the one before it, as if they had come
one after the other. So a small batch need not wait for all of a large one, a single picture for
hardly any, and what has waited for long goes before whatever is new."""

# Asked every second: built once.
_DUE = (
    select(col(Job.analysis_id))
    .where(col(Job.due_at) <= bindparam("moment", type_=UtcDateTime()))
    .limit(1)
)

_FULL = "So many pictures wait to be analyzed that no more are taken now. Try again later."
_SHARE_TAKEN = (
    "As many of your pictures wait as there is room for those of others. Send more later."
)
_FULL_RETRY_S = 30.0


class LostError(Exception):
    """A job is somebody else's by now, or nobody wants its result any more."""


@dataclass(frozen=True, slots=True)
class Figures:
    """How the line stands: jobs that wait and are held, and the age of the oldest in seconds."""

    waiting: int
    running: int
    oldest_s: float


class Queue:
    """Keeps the line."""

    def __init__(self, database: Database, most: int, lease: timedelta, metrics: Metrics) -> None:
        """Build over the database.

        Args:
            database: has the line, for all organisations together.
            most: pictures that may stand in it.
            lease: how long a job stays with a holder of whom nothing is heard.
            metrics: counts what is dropped.

        """
        self._metrics = metrics
        self._database = database
        self._most = most
        self._lease = lease

    async def see_that_there_is_room(self, owner_id: str) -> None:
        """Refuse at once what would be refused in the end.

        Raises:
            ShareTakenError: as many of this user wait as there is room for more.
            UnavailableError: the line is full.

        """
        await self._database.read(partial(self._room, owner_id=owner_id, wanted=1), EVERYTHING)

    def add(
        self, session: Session, owner_id: str, analyses: Iterable[str], *, bulk: bool = False
    ) -> None:
        """Put analyses of a user, in their order, into the line, in the caller's transaction.

        Raises:
            ShareTakenError: no room is to be left for others.
            UnavailableError: there is no room for all of them.

        """
        moment, request_id = now(), telemetry.current_request_id()
        jobs = [
            Job(
                analysis_id=each,
                created_at=moment,
                turn_at=moment + place * _APART,
                bulk=bulk,
                request_id=request_id,
            )
            for place, each in enumerate(analyses)
        ]
        if session.get_bind().dialect.name == "postgresql":
            session.execute(select(func.pg_advisory_xact_lock(AdvisoryLock.LINE)))
        self._room(session, owner_id, wanted=len(jobs))
        session.add_all(jobs)

    def _room(self, session: Session, owner_id: str, *, wanted: int) -> None:
        there = session.scalar(select(func.count()).select_from(Job)) or 0
        free = self._most - there
        if wanted > free:
            raise errors.UnavailableError(_FULL, _FULL_RETRY_S)
        # The rule of Places, for the last one. While all that waits would do, whose it is need not
        # be counted.
        last = free - wanted + 1
        if there + wanted > last and _waiting_of(session, owner_id) + wanted > last:
            raise errors.ShareTakenError(_SHARE_TAKEN, _FULL_RETRY_S)

    async def has_due(self) -> bool:
        """Say whether a job is due, without a wait for those who write."""
        asked = {"moment": now()}
        found = await self._database.read(lambda session: session.scalar(_DUE, asked), EVERYTHING)
        return found is not None

    async def take(self) -> Held | None:
        """Take up the job whose turn it is; None if none is due.

        Jobs whose analysis nobody wants any more leave the line on the way.
        """
        while True:
            found = await self._database.write(self._take, EVERYTHING)
            if not isinstance(found, str):
                return found
            self._metrics.jobs("dropped").inc()

    def _take(self, session: Session) -> Held | str | None:
        """Take a job up; return its id if it was not wanted, and None if there is none."""
        moment = now()
        due = select(col(Job.analysis_id)).where(col(Job.due_at) <= moment)
        first = due.order_by(col(Job.turn_at)).limit(1).with_for_update(skip_locked=True)
        taking = (
            update(Job)
            .where(col(Job.analysis_id) == first.scalar_subquery())
            .values(holder=new_holder(), due_at=moment + self._lease)
            .returning(Job)
            .execution_options(synchronize_session=False)
        )
        job = session.scalar(taking)
        if job is None:
            return None
        record = _move(session, job.analysis_id, status=Status.RUNNING)
        if record is None:
            session.execute(delete(Job).where(col(Job.analysis_id) == job.analysis_id))
            return job.analysis_id
        return Held.of(session, job, record)

    async def keep(self, holders: Iterable[str]) -> None:
        """Say that jobs are still in their holders' hands."""
        mine = (
            select(col(Job.analysis_id))
            .where(col(Job.holder).in_(list(holders)))
            # In one order for all, so that two never wait for each other.
            .order_by(col(Job.analysis_id))
            .with_for_update()
        )
        keeping = update(Job).where(col(Job.analysis_id).in_(mine))
        keeping = keeping.values(due_at=now() + self._lease)
        await self._write(keeping)

    async def give_back(self, held: Held, delay_s: float = 0) -> None:
        """Put a job back into its place in the line.

        Args:
            held: the job, with its counts as they are now; nothing happens if it is somebody else's
                by now.
            delay_s: seconds before anybody takes it up again.

        """

        def work(session: Session) -> None:
            returned = (
                _mine(update(Job), held)
                .values(
                    holder=None,
                    due_at=now() + timedelta(seconds=delay_s),
                    strikes=held.strikes,
                    deferrals=held.deferrals,
                    refusals=held.refusals,
                )
                .returning(col(Job.analysis_id))
                .execution_options(synchronize_session=False)
            )
            if session.scalar(returned) is not None:
                _move(session, held.record.id, status=Status.QUEUED)

        await self._database.write(work, EVERYTHING)

    def end(self, session: Session, held: Held, values: dict[str, Any]) -> None:
        """Write the one result of a job and end it, in the caller's transaction.

        Args:
            session: of the transaction.
            held: the job.
            values: of the columns of its analysis.

        Raises:
            LostError: it is somebody else's by now, or its analysis was removed or withdrawn.

        """
        removal = _mine(delete(Job), held).returning(col(Job.analysis_id))
        if session.scalar(removal.execution_options(synchronize_session=False)) is None:
            raise LostError
        ended = _move(session, held.record.id, **values)
        if ended is None:
            raise LostError
        publish(session, ENDED[ended.status], ended, ended.id)

    async def drop(self, held: Held) -> None:
        """Take a job out of the line whose analysis nobody wants any more."""
        gone = _mine(delete(Job), held).returning(col(Job.analysis_id))
        quick = gone.execution_options(synchronize_session=False)
        if await self._database.write(lambda session: session.scalar(quick), EVERYTHING):
            self._metrics.jobs("dropped").inc()

    async def figures(self) -> Figures:
        """Count the line."""
        running = func.sum(case((col(Job.holder).is_not(None), 1), else_=0))
        asked = select(func.count(), running, func.min(col(Job.created_at)))
        count, held, oldest = await self._database.read(
            lambda session: session.execute(asked).one(), EVERYTHING
        )
        age_s = (now() - oldest).total_seconds() if oldest else 0.0
        return Figures(count - (held or 0), held or 0, max(0.0, age_s))

    async def _write(self, statement: Any) -> None:
        quick = statement.execution_options(synchronize_session=False)
        await self._database.write(lambda session: session.execute(quick), EVERYTHING)


def _waiting_of(session: Session, owner_id: str) -> int:
    mine = (
        select(func.count())
        .select_from(Job)
        .join(Analysis, col(Analysis.id) == col(Job.analysis_id))
    )
    return session.scalar(mine.where(col(Analysis.owner_id) == owner_id)) or 0


def _mine(statement: Any, held: Held) -> Any:
    return statement.where(col(Job.analysis_id) == held.record.id, col(Job.holder) == held.holder)


def _move(session: Session, analysis_id: str, **values: Any) -> Analysis | None:
    """Bring an analysis that is wanted and not finished on its way; None if there is no such."""
    moving = (
        update(Analysis)
        .where(
            col(Analysis.id) == analysis_id,
            col(Analysis.deleted_at).is_(None),
            col(Analysis.status).in_(UNFINISHED),
        )
        .values(**values)
        .returning(Analysis)
        .execution_options(synchronize_session=False)
    )
    return session.scalar(moving)
