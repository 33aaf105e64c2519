"""PostgreSQL: a server, waited for on the event loop."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any, Self, TypeVar

from asyncpg import InterfaceError, InternalClientError, PostgresError
from sqlalchemy import Dialect, NullPool, event, text
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection, ExceptionContext
from sqlalchemy.exc import InvalidatePoolError, InvalidRequestError
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection
from sqlalchemy.util import await_only

from services.gateway.database.listening import Heard, listening
from services.gateway.database.scope import EVERYTHING, SCOPE, ScopedSession
from services.gateway.database.work import AnyScope

_Result = TypeVar("_Result")

CONNECTIONS = 15
"""What a process takes of the server's and keeps, besides the one that listens."""

ANSWER_S = 25.0
"""How long a statement is waited for: a server that is there answers or refuses it before."""

# What was used so lately needs no trial: had the server closed it, the driver would know.
_FRESH_S = 5.0
_PING_S = 5.0
_USED_AT = "used at"
# How long a statement may take. Nearly all take milliseconds; the slowest, those of statistics,
# grow with what is counted.
_STATEMENT_S = 20.0
# What it says while it starts or stops, and when it has too many connections.
_PASSING = frozenset({"57P01", "57P02", "57P03", "53300"})
# How long who leaves waits for the server's word that it has stopped.
_FAREWELL_S = 2.0
_NO_ANSWER = "The server does not answer"
# What SQLAlchemy says when the replacement of a lost connection is lost too, and its replacement.
_LOST_AGAIN = "This connection is closed"


class Postgresql:
    """A database on a server.

    A piece of work runs on the event loop and leaves it to others while the server is at work:
    SQLAlchemy turns each statement in it into one that is awaited.
    """

    def __init__(self, address: URL, patience_s: float, answer_s: float | None = ANSWER_S) -> None:
        """Build over a server, not yet connected to.

        Args:
            address: of the database.
            patience_s: seconds to wait for a connection, and for what others have locked.
            answer_s: seconds to wait for the answer to a statement; None for as long as it takes.

        """
        self._address = address
        self._patience_s = patience_s
        self._answer_s = answer_s
        # All are kept: to connect costs the server and us more than most of what is asked for.
        self._engine = self._connecting(
            pool_size=CONNECTIONS, max_overflow=0, pool_timeout=patience_s
        )
        event.listen(self._engine.sync_engine, "checkin", _leave)
        event.listen(self._engine.sync_engine, "checkout", _see_that_it_is_there)
        self._writing = async_sessionmaker(
            self._engine, sync_session_class=ScopedSession, expire_on_commit=False
        )
        # Each statement sees what is committed when it begins, in a transaction or without one;
        # and to begin and end one takes as long as to ask.
        self._reading = async_sessionmaker(
            self._engine.execution_options(isolation_level="AUTOCOMMIT"),
            sync_session_class=ScopedSession,
            expire_on_commit=False,
        )

    @classmethod
    def unhurried(cls, address: URL, patience_s: float) -> Self:
        """Build one whose statements may take what they take."""
        return cls(address, patience_s, None)

    async def read(
        self, work: Callable[[Session], _Result], scope: AnyScope | None = None
    ) -> _Result:
        """Look something up."""
        with _one_way_to_be_away():
            async with self._reading(info={SCOPE: scope}) as session:
                return await session.run_sync(work)

    async def write(
        self, work: Callable[[Session], _Result], scope: AnyScope | None = None
    ) -> _Result:
        """Change something: all of it, or nothing when it fails."""
        with _one_way_to_be_away():
            async with self._writing(info={SCOPE: scope}) as session, session.begin():
                return await session.run_sync(work)

    def trouble(self) -> str | None:
        """Say nothing: whoever looks something up is told all of it."""
        return None

    def listening(self, heard: Heard) -> AbstractAsyncContextManager[None]:
        """Tell somebody of new events, whichever process wrote them."""
        return listening(self._connecting(poolclass=NullPool), heard)

    def _connecting(self, **pool: Any) -> AsyncEngine:
        bounds = {
            "timeout": self._patience_s,
            "command_timeout": self._answer_s,
            "server_settings": _settings(self._patience_s),
        }
        engine = create_async_engine(
            self._address,
            # Errors are logged, and parameters are names of patients.
            hide_parameters=True,
            connect_args=bounds,
            **pool,
        )
        event.listen(engine.sync_engine, "do_connect", _connect)
        event.listen(engine.sync_engine, "handle_error", _hang_up)
        return engine

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


def _settings(patience_s: float) -> dict[str, str]:
    """Return what holds in our sessions, whatever a server is set to; PostgreSQL bounds nothing."""
    return {
        # Who has waited for a row sees with the next statement what it was waited for.
        "default_transaction_isolation": "read committed",
        "lock_timeout": f"{patience_s * 1000:.0f}",
        "statement_timeout": f"{_STATEMENT_S * 1000:.0f}",
    }


def _leave(_: object, record: ConnectionPoolEntry) -> None:
    """Note when a connection was used last."""
    record.info[_USED_AT] = time.monotonic()


def _see_that_it_is_there(
    _: DBAPIConnection, record: ConnectionPoolEntry, __: PoolProxiedConnection
) -> None:
    """Have a connection replaced, and all that are older, when its server is not there any more.

    To try each one before its use, as SQLAlchemy can, takes three waits for the server.
    """
    raw: Any = record.driver_connection
    if raw.is_closed():
        raise InvalidatePoolError
    if time.monotonic() - record.info.get(_USED_AT, time.monotonic()) > _FRESH_S:
        try:
            await_only(raw.fetchval("SELECT 1", timeout=_PING_S))
        except (PostgresError, InterfaceError, InternalClientError, OSError) as error:
            # The driver fails in itself where the server's last word has come and its end has not.
            # To end it in peace would take its server's word.
            raw.terminate()
            raise InvalidatePoolError from error


def _hang_up(context: ExceptionContext) -> None:
    """Give a connection up on which no answer has come.

    To end it, the driver would wait for the server once more, and for as long as it takes.
    """
    if context.connection is None:
        return
    raw: Any = context.connection.connection.driver_connection
    if isinstance(context.original_exception, TimeoutError):
        raw.terminate()
        context.is_disconnect = True
    elif isinstance(context.original_exception, asyncio.CancelledError):
        # A server that is there is told to stop.
        asyncio.get_running_loop().call_later(_FAREWELL_S, raw.terminate)


@contextlib.contextmanager
def _one_way_to_be_away() -> Iterator[None]:
    """Say that the server went away again and again as it is said when nobody is there.

    SQLAlchemy says it with the error that a wrong use of it raises, which stays what it is.
    """
    try:
        yield
    except TimeoutError as error:
        raise ConnectionError(_NO_ANSWER) from error
    except InvalidRequestError as error:
        if str(error) != _LOST_AGAIN:
            raise
        raise ConnectionError(_LOST_AGAIN) from error


def _connect(dialect: Dialect, _: object, args: list[Any], options: dict[str, Any]) -> Any:
    """Connect, and say in one way that nobody is there: a missing socket is a missing file."""
    try:
        return dialect.connect(*args, **options)
    except OSError as error:
        raise ConnectionError(str(error)) from error
