"""The database: opened within a bounded time, brought to the current schema, handed out.

SQLite and PostgreSQL are both meant for production: the first for one machine, the second for
replicas of the gateway.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import sqlalchemy.exc
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

Sessions = async_sessionmaker[AsyncSession]
"""Makes sessions. One is held for a few statements, never while another service is asked."""

_RETRY_S = 0.25
_SQLITE_BUSY_MS = 5000
_POOL_TIMEOUT_S = 5
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
        DatabaseError: it did not answer in time, or stays locked.

    """
    engine = _engine(url)
    try:
        await _reach(engine, timeout_s)
        await migrate(engine)
        yield async_sessionmaker(engine, expire_on_commit=False)
    finally:
        await engine.dispose()


async def migrate(engine: AsyncEngine, revision: str = "head") -> None:
    """Bring the schema to a revision, one process at a time, all or nothing."""
    async with engine.connect() as connection:
        await _lock(connection)
        await connection.run_sync(_run_migrations, revision)
        await connection.commit()


def _engine(url: str) -> AsyncEngine:
    if make_url(url).get_backend_name() == "sqlite":
        # Waiting for a lock at boot is counted in _reach, so that its bound holds.
        engine = create_async_engine(url, connect_args={"timeout": _SQLITE_BUSY_MS / 1000})
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        return engine
    return create_async_engine(
        url,
        pool_pre_ping=True,
        pool_timeout=_POOL_TIMEOUT_S,
        connect_args={"timeout": _POOL_TIMEOUT_S},
    )


def _prepare_sqlite(connection: sqlalchemy.engine.interfaces.DBAPIConnection, _: object) -> None:
    cursor = connection.cursor()
    # Without it a foreign key is a comment.
    cursor.execute("PRAGMA foreign_keys = ON")
    # With a write-ahead log, readers do not wait for writers; NORMAL then loses at most the
    # last commits when the power fails, and never the database.
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.close()


async def _reach(engine: AsyncEngine, timeout_s: float) -> None:
    """Wait until the database answers and can be written to."""
    until = time.monotonic() + timeout_s
    while True:
        try:
            async with asyncio.timeout_at(_loop_time(until)):
                return await _touch(engine)
        except (OSError, sqlalchemy.exc.SQLAlchemyError) as error:
            if time.monotonic() + _RETRY_S >= until or _is_final(error):
                raise DatabaseError(_sentence(engine, error)) from error
        await asyncio.sleep(_RETRY_S)


def _loop_time(moment: float) -> float:
    return asyncio.get_running_loop().time() + moment - time.monotonic()


async def _touch(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            # The retries are ours, so that a lock is waited for no longer than asked.
            await connection.exec_driver_sql("PRAGMA busy_timeout = 100")
            await connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            await connection.exec_driver_sql("BEGIN IMMEDIATE")
            await connection.rollback()
            await connection.exec_driver_sql(f"PRAGMA busy_timeout = {_SQLITE_BUSY_MS}")
        else:
            await connection.execute(text("SELECT 1"))


def _is_final(error: Exception) -> bool:
    """Say whether waiting cannot help: a wrong password, a missing folder, not a database."""
    if isinstance(error, sqlalchemy.exc.OperationalError):
        return "unable to open" in str(error.orig)
    return isinstance(error, sqlalchemy.exc.DBAPIError) and not error.connection_invalidated


def _sentence(engine: AsyncEngine, error: Exception) -> str:
    where = engine.url.render_as_string(hide_password=True)
    cause = str(getattr(error, "orig", None) or error).strip() or type(error).__name__
    reason = cause.splitlines()[0].rpartition("'>: ")[2]
    return (
        f"the database {where} cannot be used ({reason}): check that it runs and that no other "
        "program has it locked, or set DERMSERVE_GATEWAY_DATABASE_URL"
    )


async def _lock(connection: AsyncConnection) -> None:
    """Let one process migrate while the others wait for it."""
    if connection.dialect.name == "sqlite":
        # An explicit BEGIN makes SQLite's schema changes part of the transaction.
        await connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        await connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))


def _run_migrations(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", "services.gateway:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    # "base" lies below every revision; anything else is reached from below.
    (command.downgrade if revision == "base" else command.upgrade)(config, revision)
