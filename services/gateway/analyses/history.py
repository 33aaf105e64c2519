"""Analyses: found, listed, removed. What is out of scope does not exist here."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlmodel import col

from services.gateway import errors, paging
from services.gateway.analyses.files import NO_SUCH_ANALYSIS, Files
from services.gateway.database import Database, Scope
from services.gateway.records import Analysis, is_id


@dataclass(frozen=True, slots=True)
class Filters:
    """Which analyses to list.

    Attributes:
        label: only those with this label.
        patient_id: only those of this patient.
        since: only those made at this moment or later.
        until: only those made before this moment.

    """

    label: str | None = None
    patient_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return what a row must meet."""
        found: list[ColumnElement[bool]] = []
        if self.label is not None:
            found.append(col(Analysis.label) == self.label)
        if self.patient_id is not None:
            found.append(col(Analysis.patient_id) == self.patient_id)
        if self.since is not None:
            found.append(col(Analysis.created_at) >= self.since)
        if self.until is not None:
            found.append(col(Analysis.created_at) < self.until)
        return found


class History:
    """Finds analyses, always within a scope."""

    def __init__(self, database: Database, files: Files) -> None:
        self._database = database
        self._files = files

    async def get(self, scope: Scope, analysis_id: str) -> Analysis:
        """Return one analysis.

        Raises:
            NotFoundError: there is none of this id, or it is somebody else's; nobody can tell
                which, administrators included (OWASP ASVS 5.0, 8.2.2).

        """
        record: Analysis | None = None
        if is_id(analysis_id):
            found = select(Analysis).where(col(Analysis.id) == analysis_id)
            record = await self._database.read(lambda session: session.scalar(found), scope)
        if record is None:
            raise errors.NotFoundError(NO_SUCH_ANALYSIS)
        return record

    async def page(
        self, scope: Scope, filters: Filters, limit: int, cursor: str | None
    ) -> paging.Page[Analysis]:
        """List analyses, newest first.

        Raises:
            InvalidRequestError: the cursor is not one of ours.

        """
        rows = (
            select(Analysis)
            .where(*filters.conditions(), *paging.after(Analysis, cursor))
            .order_by(*paging.newest_first(Analysis))
            .limit(limit + 1)
        )
        found = await self._database.read(lambda session: list(session.scalars(rows)), scope)
        return paging.page(found, limit)

    async def delete(self, scope: Scope, analysis_id: str) -> None:
        """Remove one analysis and its pictures.

        Raises:
            NotFoundError: as for ``get``.

        """
        await self._files.drop(await self.get(scope, analysis_id), scope)
