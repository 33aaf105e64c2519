"""Whose records a piece of work may see: said once for its session, not by each query.

Every select, update and delete of a session is narrowed to the scope, every new row is stamped
with it, and a session without one cannot touch what belongs to an organisation at all. What
cannot be narrowed is refused: text, and tables that are not read as records.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction, with_loader_criteria
from sqlalchemy.sql.base import ExecutableOption
from sqlmodel import col

from services.gateway.database import reach
from services.gateway.records import Belonging, Made, Owned

SCOPE = "scope"
"""Where a session keeps its scope."""


class ScopeError(Exception):
    """A fault of ours: work reaches beyond its scope, or has none where it needs one."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What one user may see and make.

    Attributes:
        organisation_id: theirs.
        user_id: they themselves; what they make is theirs.
        shared: whether they see what others of the organisation made.

    """

    organisation_id: str
    user_id: str
    shared: bool = False

    def stamp(self, row: Belonging) -> None:
        """Write on a new row whose it is; what says so itself must not say another."""
        if not row.organisation_id:
            row.organisation_id = self.organisation_id
        if isinstance(row, Made) and not row.owner_id:
            row.owner_id = self.user_id
        self.check(row.model_dump(include={"organisation_id", "owner_id"}))

    def includes(self, row: Made) -> bool:
        """Say whether a row is among what this user may see, as statements are narrowed."""
        ours = row.organisation_id == self.organisation_id
        return ours and (self.shared or row.owner_id == self.user_id)

    def check(self, row: Mapping[str, Any]) -> None:
        """Raise ``ScopeError`` unless a row lies within."""
        if row.get("organisation_id") != self.organisation_id:
            raise ScopeError("a row of another organisation")
        if not self.shared and row.get("owner_id", self.user_id) != self.user_id:
            raise ScopeError("a row of another user")


class Everything:
    """The scope of those who must look across organisations; nothing is narrowed or stamped.

    That is whoever finds out who is calling, and whoever keeps the house.
    """


EVERYTHING = Everything()


class ScopedSession(Session):
    """A session that sees and makes what its scope allows."""


@event.listens_for(ScopedSession, "do_orm_execute")
def _narrow(state: ORMExecuteState) -> None:
    """Narrow a statement to the scope of its session, or refuse it."""
    scope = state.session.info.get(SCOPE)
    if scope is EVERYTHING:
        return
    if not isinstance(scope, Scope):
        if reach.touches(state.statement):
            raise ScopeError("work on what belongs to an organisation needs a scope")
    elif state.is_insert:
        _check_insert(state, scope)
    elif reach.escapes(state.statement) or (
        not state.is_orm_statement and reach.touches(state.statement)
    ):
        raise ScopeError("text, and tables that are not read as records, cannot be narrowed")
    elif state.is_orm_statement:
        state.statement = state.statement.options(*_criteria(scope))


def _check_insert(state: ORMExecuteState, scope: Scope) -> None:
    """See that new rows are within a scope, and that nothing is read for them."""
    if reach.reads(state.statement):
        raise ScopeError("an insert of what is read cannot be narrowed")
    if reach.touches(state.statement):
        rows = state.parameters or {}
        for row in [rows] if isinstance(rows, Mapping) else rows:
            scope.check(row)


@event.listens_for(ScopedSession, "before_flush")
def _stamp(session: Session, _context: UOWTransaction, _instances: object) -> None:
    """Stamp new rows, and see that changed ones are within the scope."""
    scope = session.info.get(SCOPE)
    if scope is EVERYTHING:
        return
    for row in (*session.new, *session.dirty, *session.deleted):
        if isinstance(row, Belonging):
            if not isinstance(scope, Scope):
                raise ScopeError("work on what belongs to an organisation needs a scope")
            scope.stamp(row)


@functools.lru_cache(maxsize=1024)
def _criteria(scope: Scope) -> tuple[ExecutableOption, ...]:
    """Return what every statement of a scope is narrowed by."""
    found = []
    for table in reach.belonging():
        within = col(table.organisation_id) == scope.organisation_id
        if issubclass(table, Made) and not scope.shared:
            within &= col(table.owner_id) == scope.user_id
        if issubclass(table, Owned):
            within &= col(table.deleted_at).is_(None)
        found.append(with_loader_criteria(table, within, include_aliases=True))
    return tuple(found)
