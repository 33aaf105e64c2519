"""Work on a database: a plain function of a session, within a scope."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeVar

from sqlalchemy.orm import Session

from services.gateway.database.listening import Heard
from services.gateway.database.scope import Everything, Scope

_Result = TypeVar("_Result")
AnyScope = Scope | Everything


class Database(Protocol):
    """Where records are.

    Work is a plain function of a session, a few statements long. It gets a connection for
    itself, and nothing else is waited for in it: no other service, no caller, no disk.
    Without a scope it cannot touch what belongs to an organisation.
    """

    async def read(
        self, work: Callable[[Session], _Result], scope: AnyScope | None = None
    ) -> _Result:
        """Look something up."""
        ...

    async def write(
        self, work: Callable[[Session], _Result], scope: AnyScope | None = None
    ) -> _Result:
        """Change something: all of it, or nothing when it fails."""
        ...

    def trouble(self) -> str | None:
        """Say what it knows to be wrong with itself that none who looks something up is told."""
        ...


class Source(Database, Protocol):
    """A database that tells of new events."""

    def listening(self, heard: Heard) -> AbstractAsyncContextManager[None]:
        """Tell somebody, for as long as it is open, which organisations have new events."""
        ...


class Within:
    """A database whose work is within a scope, unless it names another."""

    def __init__(self, database: Database, scope: AnyScope) -> None:
        self._database = database
        self._scope = scope

    async def read(
        self, work: Callable[[Session], _Result], scope: AnyScope | None = None
    ) -> _Result:
        """Look something up."""
        return await self._database.read(work, scope or self._scope)

    async def write(
        self, work: Callable[[Session], _Result], scope: AnyScope | None = None
    ) -> _Result:
        """Change something: all of it, or nothing when it fails."""
        return await self._database.write(work, scope or self._scope)

    def trouble(self) -> str | None:
        """Say what it knows to be wrong with itself that none who looks something up is told."""
        return self._database.trouble()
