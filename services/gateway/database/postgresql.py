"""PostgreSQL: a server, waited for on the event loop."""

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Dialect, event, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session

from services.gateway.database.scope import EVERYTHING, SCOPE, ScopedSession
from services.gateway.database.work import AnyScope

_Result = TypeVar("_Result")

# How long a statement may take; the slowest of ours takes milliseconds.
_STATEMENT_S = 20.0
# What it says while it starts or stops, and when it has too many connections.
_PASSING = frozenset({"57P01", "57P02", "57P03", "53300"})


class Postgresql:
    """A database on a server.

    A piece of work runs on the event loop and leaves it to others while the server is at work:
    SQLAlchemy turns each statement in it into one that is awaited.
    """

    def __init__(self, address: URL, patience_s: float) -> None:
        """Build over a server, not yet connected to.

        Args:
            address: of the database.
            patience_s: seconds to wait for a connection, and for what others have locked.

        """
        # Errors are logged, and parameters are names of patients.
        self._engine = create_async_engine(
            address,
            hide_parameters=True,
            pool_pre_ping=True,
            pool_timeout=patience_s,
            connect_args={"timeout": patience_s, "server_settings": _bounds(patience_s)},
        )
        event.listen(self._engine.sync_engine, "do_connect", _connect)
        self._sessions = async_sessionmaker(
            self._engine, sync_session_class=ScopedSession, expire_on_commit=False
        )

    async def read(
        self, work: Callable[[Session], _Result], scope: AnyScope | None = None
    ) -> _Result:
        """Look something up."""
        async with self._sessions(info={SCOPE: scope}) as session:
            return await session.run_sync(work)

    async def write(
        self, work: Callable[[Session], _Result], scope: AnyScope | None = None
    ) -> _Result:
        """Change something: all of it, or nothing when it fails."""
        async with self._sessions(info={SCOPE: scope}) as session, session.begin():
            return await session.run_sync(work)

    async def close(self) -> None:
        """Close all connections."""
        await self._engine.dispose()

    @classmethod
    async def touch(cls, address: URL, patience_s: float) -> None:
        """See whether the server answers; tried once."""
        database = cls(address, patience_s)
        try:
            await database.read(lambda session: session.execute(text("SELECT 1")), EVERYTHING)
        finally:
            await database.close()

    @staticmethod
    def passes(error: Exception) -> bool:
        """Say whether waiting can help: not for a wrong password, or an option without sense.

        An option in the address that the driver does not know is a wrong argument to it.
        """
        if isinstance(error, TypeError):
            return False
        state = getattr(getattr(error, "orig", None), "sqlstate", None)
        return state is None or state in _PASSING


def _bounds(patience_s: float) -> dict[str, str]:
    """Bound what a statement of ours may wait and take; PostgreSQL itself bounds neither."""
    return {
        "lock_timeout": f"{patience_s * 1000:.0f}",
        "statement_timeout": f"{_STATEMENT_S * 1000:.0f}",
    }


def _connect(dialect: Dialect, _: object, args: list[Any], options: dict[str, Any]) -> Any:
    """Connect, and say in one way that nobody is there: a missing socket is a missing file."""
    try:
        return dialect.connect(*args, **options)
    except OSError as error:
        raise ConnectionError(str(error)) from error
