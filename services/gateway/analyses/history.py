"""Analyses: found, listed, removed. What is out of scope does not exist here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, false, literal, select, true, update
from sqlalchemy.orm import Session
from sqlmodel import col

from services.gateway import errors, paging
from services.gateway.analyses.files import NO_SUCH_ANALYSIS
from services.gateway.database import Database, Scope
from services.gateway.records import Analysis, Status, is_id, now
from services.gateway.withdrawal import leave_the_line

Outcome = Literal["assessed", "cannot_assess"]

_PLAIN = ("label", "patient_id", "patient", "lesion", "batch", "status", "body_site")

SORTS: Mapping[str, paging.Order] = {
    "-created_at": paging.NEWEST_FIRST,
    "created_at": paging.by_moment("created_at", "o", descending=False),
    "-malignant_probability": paging.by_number("malignant_probability", "m", descending=True),
    "malignant_probability": paging.by_number("malignant_probability", "l", descending=False),
}
"""In which orders analyses are listed, by name; what has no probability has no place by it."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Which analyses to list.

    Attributes:
        label: only those with this label.
        patient_id: only those of this number of a patient.
        patient: only those attached to this patient.
        lesion: only those attached to this lesion.
        since: only those made at this moment or later.
        until: only those made before this moment.
        batch: only those of this batch.
        status: only those that are so far.
        outcome: only those that were assessed, or could not be.
        suspicious: only those that reach the operating point, or only those that do not.
        body_site: only those of this place on the body, in the words that were sent.

    """

    label: str | None = None
    patient_id: str | None = None
    patient: str | None = None
    lesion: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    batch: str | None = None
    status: Status | None = None
    outcome: Outcome | None = None
    suspicious: bool | None = None
    body_site: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return what a row must meet."""
        found: list[ColumnElement[bool]] = []
        for name in _PLAIN:
            value = getattr(self, name)
            if value is not None:
                found.append(col(getattr(Analysis, name)) == value)
        # Said in the statement itself, so that indexes of the rare ones are found.
        if self.outcome is not None:
            found.append(col(Analysis.outcome) == literal(self.outcome, literal_execute=True))
        if self.suspicious is not None:
            found.append(col(Analysis.suspicious) == (true() if self.suspicious else false()))
        if self.since is not None:
            found.append(col(Analysis.created_at) >= self.since)
        if self.until is not None:
            found.append(col(Analysis.created_at) < self.until)
        return found


class History:
    """Finds analyses, always within a scope."""

    def __init__(self, database: Database) -> None:
        self._database = database

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
        self,
        scope: Scope,
        filters: Filters,
        limit: int,
        cursor: str | None,
        order: paging.Order = paging.NEWEST_FIRST,
    ) -> paging.Page[Analysis]:
        """List analyses that have a place in an order.

        Raises:
            InvalidRequestError: the cursor is not one of ours, or of another order.

        """
        rows = (
            select(Analysis)
            .where(*filters.conditions(), *order.after(Analysis, cursor))
            .order_by(*order.by(Analysis))
            .limit(limit + 1)
        )
        found = await self._database.read(lambda session: list(session.scalars(rows)), scope)
        return paging.page(found, limit, order)

    async def delete(self, scope: Scope, analysis_id: str) -> None:
        """Take one analysis out of everybody's sight; a purge removes it with its pictures.

        Raises:
            NotFoundError: as for ``get``.

        """
        this_one = col(Analysis.id) == analysis_id
        removal = (
            update(Analysis)
            .where(this_one)
            .values(deleted_at=now())
            .returning(col(Analysis.id))
            .execution_options(synchronize_session=False)
        )

        def work(session: Session) -> None:
            leave_the_line(session, this_one)
            if session.scalar(removal) is None:
                raise errors.NotFoundError(NO_SUCH_ANALYSIS)

        await self._database.write(work, scope)
