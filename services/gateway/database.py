"""The database: opened within a bounded time, brought to the current schema, handed out.

SQLite and PostgreSQL are both meant for production: the first needs no server, the second has
its own backups, roles and tools, and may lie on another machine.
"""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import sqlalchemy.exc
from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Connection, Dialect, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

Sessions = async_sessionmaker[AsyncSession]
"""Makes sessions. One is held for a few statements, never while another service is asked."""

_IN_MEMORY = ":memory:"
_RETRY_S = 0.25
# How long a statement waits for a lock of SQLite, or a connection to PostgreSQL.
_PATIENCE_S = 5.0
# How long a statement of PostgreSQL may take; the slowest of ours takes milliseconds.
_STATEMENT_S = 20.0
_TRY_S = 0.1
# What PostgreSQL says while it starts or stops, and when it has too many connections.
_PASSING = frozenset({"57P01", "57P02", "57P03", "53300"})
# Any number will do, as long as all replicas use the same one.
_MIGRATION_LOCK = 7_364_121


class DatabaseError(Exception):
    """The database cannot be used; the message says what to do."""


@contextlib.asynccontextmanager
async def opened(url: str, timeout_s: float) -> AsyncIterator[Sessions]:
    """Open a database at the current schema and close it in the end.

    Args:
        url: its address, with an async driver.
        timeout_s: seconds to wait until it answers and nobody has it locked.

    Raises:
        DatabaseError: it did not answer in time, stays locked, or cannot be brought to the
            current schema.

    """
    until = time.monotonic() + timeout_s
    await _reach(url, timeout_s)
    engine = _engine(url, _PATIENCE_S)
    try:
        await _bring_up_to_date(engine, max(_TRY_S, until - time.monotonic()))
        yield async_sessionmaker(engine, expire_on_commit=False)
    finally:
        await engine.dispose()


async def migrate(
    engine: AsyncEngine, revision: str = "head", patience_s: float = _PATIENCE_S
) -> None:
    """Bring the schema to a revision, one process at a time, all or nothing.

    Args:
        engine: of the database.
        revision: ``"head"``, ``"base"`` or one in between.
        patience_s: seconds that PostgreSQL may wait for each lock.

    """
    async with engine.connect() as connection:
        await _lock(connection, patience_s)
        await connection.run_sync(_run_migrations, revision)
        await connection.commit()


async def _bring_up_to_date(engine: AsyncEngine, patience_s: float) -> None:
    try:
        await migrate(engine, patience_s=patience_s)
    except CommandError as error:
        raise DatabaseError(
            f"the database {_shown(engine.url)} was made by a newer version ({error}): run that "
            "one, or restore a backup"
        ) from error
    except (OSError, sqlalchemy.exc.SQLAlchemyError) as error:
        raise DatabaseError(_sentence(engine.url, error)) from error


def _engine(url: str, patience_s: float) -> AsyncEngine:
    # Errors are logged, and parameters are names of patients.
    if make_url(url).get_backend_name() == "sqlite":
        engine = create_async_engine(
            url, hide_parameters=True, connect_args={"timeout": patience_s}
        )
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        return engine
    engine = create_async_engine(
        url,
        hide_parameters=True,
        pool_pre_ping=True,
        pool_timeout=patience_s,
        connect_args={"timeout": patience_s, "server_settings": _bounds(patience_s)},
    )
    event.listen(engine.sync_engine, "do_connect", _connect)
    return engine


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


def _prepare_sqlite(connection: sqlalchemy.engine.interfaces.DBAPIConnection, _: object) -> None:
    cursor = connection.cursor()
    # Without it a foreign key is a comment.
    cursor.execute("PRAGMA foreign_keys = ON")
    # With a write-ahead log, readers do not wait for writers; NORMAL then loses at most the
    # last commits when the power fails, and never the database.
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.close()


async def _reach(url: str, timeout_s: float) -> None:
    """Wait until the database answers and can be written to."""
    until = time.monotonic() + timeout_s
    address = make_url(url)
    sqlite = address.get_backend_name() == "sqlite"
    while True:
        try:
            if sqlite:
                return await asyncio.to_thread(_touch_sqlite, address.database or _IN_MEMORY)
            return await _touch_postgresql(url, timeout_s)
        except (OSError, TypeError, sqlite3.Error, sqlalchemy.exc.SQLAlchemyError) as error:
            if time.monotonic() + _RETRY_S >= until or _is_final(error):
                raise DatabaseError(_sentence(address, error)) from error
        await asyncio.sleep(_RETRY_S)


def _touch_sqlite(path: str) -> None:
    """Take the lock that a writer takes, and turn on the write-ahead log."""
    # For its owner only; the write-ahead log gets the same mode. Why a file cannot be made,
    # SQLite says itself.
    if path != _IN_MEMORY:
        with contextlib.suppress(OSError):
            Path(path).touch(mode=0o600)
    connection = sqlite3.connect(path, timeout=_TRY_S, isolation_level=None)
    with contextlib.closing(connection):
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")


async def _touch_postgresql(url: str, timeout_s: float) -> None:
    engine = _engine(url, timeout_s)
    try:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
    finally:
        await engine.dispose()


def _is_final(error: Exception) -> bool:
    """Say whether waiting cannot help: a wrong password, a missing folder, not a database.

    An option in the address that the driver does not know is a wrong argument to it.
    """
    if isinstance(error, TypeError):
        return True
    if isinstance(error, sqlite3.Error):
        return "locked" not in str(error)
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    return state is not None and state not in _PASSING


def _sentence(address: URL, error: Exception) -> str:
    cause = str(getattr(error, "orig", None) or error).strip() or type(error).__name__
    reason = cause.splitlines()[0].rpartition("'>: ")[2]
    return (
        f"the database {_shown(address)} cannot be used ({reason}): check that it runs, that no "
        "other program has it locked and that we may make tables in it, or set "
        "DERMSERVE_GATEWAY_DATABASE_URL"
    )


def _shown(address: URL) -> str:
    """Return an address without its secrets; its options may hold some too."""
    return address.set(query={}).render_as_string(hide_password=True)


async def _lock(connection: AsyncConnection, patience_s: float) -> None:
    """Let one process migrate while the others wait for it."""
    if connection.dialect.name == "sqlite":
        # An explicit BEGIN makes SQLite's schema changes part of the transaction.
        await connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        await connection.execute(text(f"SET LOCAL lock_timeout = {patience_s * 1000:.0f}"))
        # A migration of many rows takes what it takes.
        await connection.execute(text("SET LOCAL statement_timeout = 0"))
        await connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))


def _run_migrations(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", "services.gateway:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    # "base" lies below every revision; anything else is reached from below.
    (command.downgrade if revision == "base" else command.upgrade)(config, revision)
