"""Batches: found, listed, cancelled, removed."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from services.gateway import errors, kinds, paging
from services.gateway.database import Database, Scope, publish
from services.gateway.records import Analysis, Batch, EventKind, Status, is_id, now
from services.gateway.withdrawal import leave_the_line

_MISSING = "There is no batch of this id among yours."
_WITHDRAWN = "The batch was cancelled before this picture was analyzed."


@dataclass(frozen=True, slots=True)
class Counted:
    """A batch, and how many of its analyses are how far."""

    batch: Batch
    counts: dict[Status, int]


class Batches:
    """The batches within a scope."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, scope: Scope, batch_id: str) -> Counted:
        """Return a batch.

        Raises:
            NotFoundError: there is none of this id within the scope.

        """

        def work(session: Session) -> Counted:
            return _counted(session, [_found(session, batch_id)])[0]

        return await self._database.read(work, scope)

    async def find(self, scope: Scope, batch_id: str) -> Batch:
        """Return a batch without its counts; raises as ``get`` does."""
        return await self._database.read(partial(_found, batch_id=batch_id), scope)

    async def page(self, scope: Scope, limit: int, cursor: str | None) -> paging.Page[Batch]:
        """List batches, newest first.

        Raises:
            InvalidRequestError: the cursor is not one of ours.

        """
        rows = (
            select(Batch)
            .where(*paging.after(Batch, cursor))
            .order_by(*paging.newest_first(Batch))
            .limit(limit + 1)
        )
        found = await self._database.read(lambda session: list(session.scalars(rows)), scope)
        return paging.page(found, limit)

    async def counted(self, scope: Scope, batches: list[Batch]) -> list[Counted]:
        """Return batches with their counts, in the same order."""
        return await self._database.read(partial(_counted, batches=batches), scope)

    async def cancel(self, scope: Scope, batch_id: str) -> Counted:
        """Withdraw what is not being analyzed yet; the rest goes its way.

        Raises:
            NotFoundError: there is none of this id within the scope.

        """

        def work(session: Session) -> Counted:
            batch = _found(session, batch_id)
            problem = {
                "kind": kinds.kind_of(errors.WithdrawnError()).slug,
                "detail": _WITHDRAWN,
            }
            waiting = (
                col(Analysis.batch) == batch.id,
                col(Analysis.status) == Status.QUEUED,
            )
            leave_the_line(session, *waiting)
            # In one order for all, so that two never wait for each other.
            held = (
                select(col(Analysis.id))
                .where(*waiting)
                .order_by(col(Analysis.id))
                .with_for_update()
            )
            withdrawing = (
                update(Analysis)
                .where(col(Analysis.id).in_(held))
                .values(status=Status.FAILED, problem=problem)
                .returning(Analysis)
                .execution_options(synchronize_session=False)
            )
            for record in session.scalars(withdrawing).all():
                publish(session, EventKind.ANALYSIS_FAILED, record, record.id)
            return _counted(session, [batch])[0]

        return await self._database.write(work, scope)

    async def remove(self, scope: Scope, batch_id: str) -> None:
        """Remove a batch with its analyses; what is not analyzed yet never is.

        Raises:
            NotFoundError: there is none of this id within the scope.

        """

        def work(session: Session) -> None:
            batch = _found(session, batch_id)
            moment, its = now(), col(Analysis.batch) == batch.id
            leave_the_line(session, its)
            removal = update(Analysis).where(its).values(deleted_at=moment)
            session.execute(removal.execution_options(synchronize_session=False))
            # After them: who ends one of them holds it, and then the batch.
            batch.deleted_at = moment

        await self._database.write(work, scope)


def _found(session: Session, batch_id: str) -> Batch:
    asked = select(Batch).where(col(Batch.id) == batch_id)
    batch: Batch | None = session.scalar(asked) if is_id(batch_id) else None
    if batch is None:
        raise errors.NotFoundError(_MISSING)
    return batch


def _counted(session: Session, batches: Iterable[Batch]) -> list[Counted]:
    listed = list(batches)
    asked = (
        select(col(Analysis.batch), col(Analysis.status), func.count())
        .where(col(Analysis.batch).in_([batch.id for batch in listed]))
        .group_by(col(Analysis.batch), col(Analysis.status))
    )
    counts: dict[str, dict[Status, int]] = {batch.id: dict.fromkeys(Status, 0) for batch in listed}
    for batch_id, status, count in session.execute(asked):
        counts[str(batch_id)][Status(status)] = count
    return [Counted(batch, counts[batch.id]) for batch in listed]
