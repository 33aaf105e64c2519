"""Records of one kind that people change, whichever kind it is."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session
from sqlmodel import col

from services.gateway import errors, paging
from services.gateway.database import Database, Scope
from services.gateway.records import Editable, is_id, now


class Revised(Protocol):
    """A record that counts its changes."""

    id: str
    created_at: datetime
    revision: int


_Row = TypeVar("_Row", bound=Revised)

Revisions = frozenset[int] | None
"""Which revisions of a record a change is meant for; None for whatever it is."""

NONE_YET: Revisions = frozenset({0})
"""For what is meant for a place where nothing is yet."""


class Shelf(Generic[_Row]):
    """Finds, changes and removes records of one kind, always within a scope."""

    def __init__(self, database: Database, table: type[_Row], missing: str) -> None:
        """Build over the database.

        Args:
            database: has them.
            table: theirs.
            missing: the sentence for what is not there, or out of scope.

        """
        self.database = database
        self._table = table
        self._missing = missing

    async def get(self, scope: Scope, row_id: str) -> _Row:
        """Return one.

        Raises:
            NotFoundError: there is none of this id within the scope.

        """
        return await self.database.read(lambda session: self.found(session, row_id), scope)

    async def page(
        self,
        scope: Scope,
        conditions: Sequence[ColumnElement[bool]],
        limit: int,
        cursor: str | None,
    ) -> paging.Page[_Row]:
        """List those that meet conditions, newest first.

        Raises:
            InvalidRequestError: the cursor is not one of ours.

        """
        rows = (
            select(self._table)
            .where(*conditions, *paging.after(self._table, cursor))
            .order_by(*paging.newest_first(self._table))
            .limit(limit + 1)
        )
        found = await self.database.read(lambda session: list(session.scalars(rows)), scope)
        return paging.page(found, limit)

    def found(self, session: Session, row_id: str, *, held: bool = False) -> _Row:
        """Return one; raises as ``get`` does."""
        asked = select(self._table).where(col(self._table.id) == row_id)
        if held:
            asked = asked.with_for_update()
        row: _Row | None = session.scalar(asked) if is_id(row_id) else None
        if row is None:
            raise errors.NotFoundError(self._missing)
        return row

    def meant(self, session: Session, row_id: str, revisions: Revisions) -> _Row:
        """Return the one that a change is meant for; others wait until it is done.

        Raises:
            NotFoundError: there is none of this id within the scope.
            ChangedMeanwhileError: it is of another revision by now.

        """
        row = self.found(session, row_id, held=True)
        see_that_it_is_meant(row.revision, revisions)
        return row


def see_that_it_is_meant(revision: int, revisions: Revisions) -> None:
    """Raise ``ChangedMeanwhileError`` unless a change is meant for this revision; 0 is of none."""
    if revision not in revisions if revisions is not None else not revision:
        raise errors.ChangedMeanwhileError(
            "It was changed since you saw it. Get it again, and change that."
        )


def change(row: Revised, values: Mapping[str, Any]) -> None:
    """Change a record; it is of another revision from then on."""
    for name, value in values.items():
        setattr(row, name, value)
    row.revision += 1


def remove(row: Editable) -> None:
    """Take a record out of everybody's sight; a purge removes it for good."""
    row.deleted_at = now()
