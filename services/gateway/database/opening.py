"""A database is opened: found by its address, waited for, brought to the current schema."""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator
from functools import partial

from alembic.util.exc import CommandError
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

from services.gateway.database import indexes
from services.gateway.database.migration import migrate
from services.gateway.database.postgresql import Postgresql
from services.gateway.database.scope import EVERYTHING
from services.gateway.database.sqlite import Sqlite
from services.gateway.database.work import Source

_RETRY_S = 0.25
# How long a statement waits for a lock of SQLite, or a connection to PostgreSQL.
_PATIENCE_S = 5.0
_LEAST_S = 0.1

_KINDS: dict[str, type[Sqlite] | type[Postgresql]] = {"sqlite": Sqlite, "postgresql": Postgresql}


class DatabaseError(Exception):
    """The database cannot be used; the message says what to do."""


@contextlib.asynccontextmanager
async def opened(url: str, timeout_s: float) -> AsyncIterator[Source]:
    """Open a database at the current schema and close it in the end.

    Args:
        url: its address, with its driver.
        timeout_s: seconds to wait until it answers and nobody has it locked.

    Raises:
        DatabaseError: it did not answer in time, stays locked, or cannot be brought to the
            current schema.

    """
    until = time.monotonic() + timeout_s
    address = make_url(url)
    await _reach(address, timeout_s)
    await _bring_up_to_date(address, max(_LEAST_S, until - time.monotonic()))
    database = _KINDS[address.get_backend_name()](address, _PATIENCE_S)
    try:
        yield database
    finally:
        await database.close()


async def build_indexes(url: str) -> list[str]:
    """Build the indexes that a database lacks, while others work in it; return their names."""
    address = make_url(url)
    database = _KINDS[address.get_backend_name()].unhurried(address, _PATIENCE_S)
    try:
        # Reading is done outside of transactions.
        return await database.read(indexes.build, EVERYTHING)
    finally:
        await database.close()


async def _reach(address: URL, timeout_s: float) -> None:
    """Wait until the database answers and can be written to."""
    until = time.monotonic() + timeout_s
    kind = _KINDS[address.get_backend_name()]
    while True:
        try:
            return await kind.touch(address, timeout_s)
        except (OSError, TypeError, sqlite3.Error, SQLAlchemyError) as error:
            if time.monotonic() + _RETRY_S >= until or not kind.passes(error):
                raise DatabaseError(_sentence(address, error)) from error
        await asyncio.sleep(_RETRY_S)


async def _bring_up_to_date(address: URL, patience_s: float) -> None:
    # A migration of many rows takes what it takes, and so it is waited for when another makes it.
    database = _KINDS[address.get_backend_name()].unhurried(address, max(_PATIENCE_S, patience_s))
    try:
        await database.write(partial(migrate, patience_s=patience_s), EVERYTHING)
    except CommandError as error:
        raise DatabaseError(
            f"the database {_shown(address)} was made by a newer version ({error}): run that "
            "one, or restore a backup"
        ) from error
    except (OSError, SQLAlchemyError) as error:
        raise DatabaseError(_sentence(address, error)) from error
    finally:
        await database.close()


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
