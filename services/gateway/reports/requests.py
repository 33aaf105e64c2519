"""Reports asked for: each is recorded, with what was given, before it is given."""

from collections.abc import Awaitable

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session
from sqlmodel import col

from services.gateway import errors, kinds, paging
from services.gateway.database import Database, Scope
from services.gateway.records import Analysis, Batch, Lesion, ReportRequest
from services.gateway.store import digest
from services.gateway.threads import Threads

Subject = Analysis | Lesion | Batch
"""What a report can be of."""

_MISSING = "It was removed meanwhile."


class ReportRequests:
    """Remembers who asked for reports."""

    def __init__(self, database: Database, threads: Threads) -> None:
        """Build from what remembering needs.

        Args:
            database: has the records.
            threads: where reports are hashed.

        """
        self._database = database
        self._threads = threads

    async def recorded(self, scope: Scope, subject: Subject, rendering: Awaitable[bytes]) -> bytes:
        """Return a report that is being rendered, once it is recorded that it is given.

        Raises what the rendering does, which is recorded too.

        Raises:
            NotFoundError: what it is of was removed meanwhile.

        """
        request = ReportRequest.model_validate({_column(subject): subject.id})
        try:
            pdf = await rendering
        except Exception as error:
            request.problem = kinds.kind_of(error).slug
            await self._keep(scope, subject, request)
            raise
        request.sha256 = await self._threads.run(digest, pdf)
        request.size_bytes = len(pdf)
        await self._keep(scope, subject, request)
        return pdf

    async def page(
        self, scope: Scope, subject: Subject, limit: int, cursor: str | None
    ) -> paging.Page[ReportRequest]:
        """List what was asked for of something, newest first.

        Raises:
            InvalidRequestError: the cursor is not one of ours.

        """
        rows = (
            select(ReportRequest)
            .where(_is_of(subject), *paging.after(ReportRequest, cursor))
            .order_by(*paging.newest_first(ReportRequest))
            .limit(limit + 1)
        )
        found = await self._database.read(lambda session: list(session.scalars(rows)), scope)
        return paging.page(found, limit)

    async def _keep(self, scope: Scope, subject: Subject, request: ReportRequest) -> None:
        # A purge, which would take this row along, waits for it.
        table = type(subject)
        still = (
            select(col(table.id))
            .where(col(table.id) == subject.id)
            .with_for_update(read=True, key_share=True)
        )

        def work(session: Session) -> None:
            if session.scalar(still) is None:
                raise errors.NotFoundError(_MISSING)
            session.add(request)

        await self._database.write(work, scope)


def _column(subject: Subject) -> str:
    """Return the name of the column that says what a request was of."""
    return type(subject).__name__.lower()


def _is_of(subject: Subject) -> ColumnElement[bool]:
    return col(getattr(ReportRequest, _column(subject))) == subject.id
