"""SQLite: a file beside the pictures, worked on in threads."""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Self, TypeVar

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import TimeoutError as QueueTimeoutError
from sqlalchemy.orm import Session, sessionmaker

from services.gateway.database.listening import Heard, looking
from services.gateway.database.publication import TOLD
from services.gateway.database.scope import SCOPE, ScopedSession
from services.gateway.database.unscoped import unscoped
from services.gateway.database.work import AnyScope
from services.gateway.threads import Threads

_Result = TypeVar("_Result")

_READERS = 4
_TRY_S = 0.1
_LOOK_EVERY_S = 1.0

ANSWER_S = 25.0
"""How long a piece of work is waited for, besides its patience with others: for longer than any
takes, unless the disk hangs or others take all of the time."""

_NO_ANSWER = "SQLite did not answer"
_LATE = "it has not ended in time"


class Sqlite:
    """A database in a file.

    A piece of work is done in a thread from its first statement to its last: going there and
    back for each of them costs more than the statements. SQLite has one writer at a time, so
    there is one thread for all who write, and they wait for it in the order in which they came;
    its write-ahead log lets readers go on meanwhile.
    """

    def __init__(self, address: URL, patience_s: float, answer_s: float | None = ANSWER_S) -> None:
        """Build over a file.

        Args:
            address: of the file.
            patience_s: seconds that a statement waits while another process writes, and a
                piece of work for those that write before it.
            answer_s: seconds to wait for a piece of work besides; None for as long as it takes.

        """
        # Errors are logged, and parameters are names of patients.
        self._engine = create_engine(
            address, hide_parameters=True, connect_args={"timeout": patience_s}
        )
        event.listen(self._engine, "connect", _prepare)
        self._sessions = sessionmaker(self._engine, class_=ScopedSession, expire_on_commit=False)
        self._writer: Connection | None = None
        self._patience_s = patience_s
        self._within_s = None if answer_s is None else patience_s + answer_s
        self._reading = Threads(_READERS, self._within_s)
        self._writing = Threads(1, self._within_s)
        self._listeners: list[Heard] = []

    @classmethod
    def unhurried(cls, address: URL, patience_s: float) -> Self:
        """Build one whose work may take what it takes."""
        return cls(address, patience_s, None)

    async def read(
        self, work: Callable[[Session], _Result], scope: AnyScope | None = None
    ) -> _Result:
        """Look something up.

        Raises:
            ConnectionError: it was not done in time, as where the disk hangs.

        """
        with _told():
            return await self._reading.look(self._read, work, scope)

    async def write(
        self, work: Callable[[Session], _Result], scope: AnyScope | None = None
    ) -> _Result:
        """Change something: all of it, or nothing when it fails.

        Raises:
            sqlalchemy.exc.TimeoutError: those before it took all of the patience.
            ConnectionError: it was not done in time, as where the disk hangs. Nothing was changed,
                unless that was in the commit.

        """
        began = time.monotonic()
        with _told():
            return await self._writing.run(self._write, work, scope, began)

    def trouble(self) -> str | None:
        """Say that nothing can be written, though things may still be looked up."""
        return "unavailable" if self._writing.all_hang else None

    @contextlib.asynccontextmanager
    async def listening(self, heard: Heard) -> AsyncIterator[None]:
        """Tell somebody of new events: at once of our own, each second of other processes'."""
        loop = asyncio.get_running_loop()

        def tell(organisation_id: str | None) -> None:
            loop.call_soon_threadsafe(heard, organisation_id)

        self._listeners.append(tell)
        try:
            async with looking(heard, _LOOK_EVERY_S):
                yield
        finally:
            self._listeners.remove(tell)

    async def close(self) -> None:
        """Close all connections, but for those that a disk keeps."""
        with contextlib.suppress(TimeoutError):
            await self._writing.run(self._close)

    def _read(self, work: Callable[[Session], _Result], scope: AnyScope | None) -> _Result:
        with self._sessions(info={SCOPE: scope}) as session:
            return work(session)

    def _write(
        self, work: Callable[[Session], _Result], scope: AnyScope | None, began: float
    ) -> _Result:
        # While another process writes, each before this one has waited for as long as it may.
        if time.monotonic() > began + self._patience_s:
            raise QueueTimeoutError("others waited to write for too long")
        try:
            return self._written(work, scope, began)
        except BaseException:
            # A commit that is refused leaves its transaction open: the pool undoes that. What is
            # wrong with that too says less of why.
            with contextlib.suppress(Exception):
                self._let_go()
            raise

    def _written(
        self, work: Callable[[Session], _Result], scope: AnyScope | None, began: float
    ) -> _Result:
        with self._sessions(bind=self._held(), info={SCOPE: scope}) as session:
            with session.begin():
                # Python's own begins with the first change, and what was read before may be old.
                unscoped(session).exec_driver_sql("BEGIN IMMEDIATE")
                done = work(session)
                if self._within_s is not None and time.monotonic() > began + self._within_s:
                    # Whoever wanted it has been told that it was not done.
                    raise TimeoutError(_LATE)
            for tell in self._listeners:
                for organisation_id in session.info.get(TOLD, ()):
                    tell(organisation_id)
            return done

    def _held(self) -> Connection:
        """Return the connection of who writes, kept from one to the next.

        To take one from the pool and give it back costs more than to begin and commit; and SQLite
        forgets what a connection has read when another one has written.
        """
        if self._writer is not None and self._writer.connection.is_detached:
            # A migration has had it, which leaves it fit for nothing else.
            self._let_go()
        if self._writer is None:
            self._writer = self._engine.connect()
        return self._writer

    def _let_go(self) -> None:
        # Also one that cannot be closed is not used again.
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    def _close(self) -> None:
        self._let_go()
        self._engine.dispose()

    @staticmethod
    async def touch(address: URL, patience_s: float) -> None:
        """See whether the file is there and can be written to; tried once."""
        del patience_s  # whoever tries again waits between two tries
        await Threads(1).run(_touch, str(address.database))

    @staticmethod
    def passes(error: Exception) -> bool:
        """Say whether waiting can help: not for a missing folder, or what is no database."""
        return isinstance(error, sqlite3.Error) and "locked" in str(error)


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Say of what was not done in time what is said of a server that is not there."""
    try:
        yield
    except TimeoutError as error:
        raise ConnectionError(f"{_NO_ANSWER}: {str(error) or _LATE}") from error


def _touch(path: str) -> None:
    """Take the lock that a writer takes, and turn on the write-ahead log."""
    # For its owner only; the write-ahead log gets the same mode. Why a file cannot be made,
    # SQLite says itself.
    with contextlib.suppress(OSError):
        Path(path).touch(mode=0o600)
    connection = sqlite3.connect(path, timeout=_TRY_S, isolation_level=None)
    with contextlib.closing(connection):
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")


def _prepare(connection: DBAPIConnection, _: object) -> None:
    cursor = connection.cursor()
    # Without it a foreign key is a comment.
    cursor.execute("PRAGMA foreign_keys = ON")
    # What is removed is overwritten; some builds of SQLite do so unasked, and others do not.
    cursor.execute("PRAGMA secure_delete = ON")
    # With a write-ahead log, readers do not wait for writers; NORMAL then loses at most the
    # last commits when the power fails, and never the database.
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.close()
