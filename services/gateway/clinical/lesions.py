"""Lesions, each of a patient."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from services.gateway import errors, paging
from services.gateway.database import Database, Scope
from services.gateway.records import Analysis, Lesion, Patient, now
from services.gateway.shelf import Revisions, Shelf, change, remove
from services.gateway.withdrawal import leave_the_line


class Lesions:
    """The lesions within a scope."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._shelf = Shelf(database, Lesion, "There is no lesion of this id among yours.")

    async def create(self, scope: Scope, lesion_id: str, values: Mapping[str, Any]) -> Lesion:
        """Make a lesion of a patient.

        Raises:
            InvalidRequestError: there is no such patient within the scope.

        """
        lesion = Lesion(id=lesion_id, **values)

        def work(session: Session) -> Lesion:
            theirs = select(col(Patient.id)).where(col(Patient.id) == lesion.patient)
            if session.scalar(theirs.with_for_update()) is None:
                raise errors.InvalidRequestError("patient: there is none of this id among yours.")
            session.add(lesion)
            return lesion

        return await self._database.write(work, scope)

    async def get(self, scope: Scope, lesion_id: str) -> Lesion:
        """Return one.

        Raises:
            NotFoundError: there is none of this id within the scope.

        """
        return await self._shelf.get(scope, lesion_id)

    async def page(
        self, scope: Scope, limit: int, cursor: str | None, patient: str | None = None
    ) -> paging.Page[Lesion]:
        """List lesions, newest first: all, or those of a patient.

        Raises:
            InvalidRequestError: the cursor is not one of ours.

        """
        conditions = [] if patient is None else [col(Lesion.patient) == patient]
        return await self._shelf.page(scope, conditions, limit, cursor)

    async def change(
        self, scope: Scope, lesion_id: str, revisions: Revisions, values: Mapping[str, Any]
    ) -> Lesion:
        """Change a lesion.

        Raises:
            NotFoundError: there is none of this id within the scope.
            ChangedMeanwhileError: it is of another revision by now.

        """

        def work(session: Session) -> Lesion:
            lesion = self._shelf.meant(session, lesion_id, revisions)
            change(lesion, values)
            return lesion

        return await self._database.write(work, scope)

    async def remove(self, scope: Scope, lesion_id: str, revisions: Revisions) -> None:
        """Remove a lesion with its analyses.

        Raises:
            NotFoundError: there is none of this id within the scope.
            ChangedMeanwhileError: it is of another revision by now.

        """

        def work(session: Session) -> None:
            remove(self._shelf.meant(session, lesion_id, revisions))
            its = col(Analysis.lesion) == lesion_id
            leave_the_line(session, its)
            session.execute(update(Analysis).where(its).values(deleted_at=now()))

        await self._database.write(work, scope)
