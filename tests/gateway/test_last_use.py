"""When an API key was last used is noted beside the requests, and none waits for it."""

import contextlib
import sqlite3
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from services.gateway import records as tables
from services.gateway.identity import last_use
from tests.gateway.conftest import Gateway
from tests.gateway.test_api_keys import READ, kept, made, user


async def test_a_use_is_noted_at_most_once_a_minute(
    either: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = await either.admin()
    bridge, _ = await made(admin, await user(admin), READ)
    began = tables.now()

    noted = []
    for seconds in (0, 59, 61):
        moment = began + timedelta(seconds=seconds)
        monkeypatch.setattr(last_use, "now", lambda moment=moment: moment)
        await bridge("GET", "/v1/me")
        await either.parts.access._last_use.close()
        noted.append((await kept(either))[0].last_used_at)

    assert noted == [began, began, began + timedelta(seconds=61)]


@contextlib.asynccontextmanager
async def nobody_writes(url: str, table: str = "api_keys") -> AsyncIterator[None]:
    """Somebody else holds what a writer of a table needs."""
    if url.startswith("sqlite"):
        path = str(make_url(url).database)
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            yield
        return
    engine = create_async_engine(url)
    async with engine.begin() as holder:
        await holder.execute(text(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE"))
        yield
    await engine.dispose()


async def test_no_request_waits_for_its_use_to_be_noted(either: Gateway, database_url: str) -> None:
    admin = await either.admin()
    bridge, _ = await made(admin, await user(admin), READ)

    async with nobody_writes(database_url):
        for _ in range(2):
            assert (await bridge("GET", "/v1/organisation")).status_code == 200
        (row,) = await kept(either)
        assert row.last_used_at is None

    await either.parts.access._last_use.close()
    (row,) = await kept(either)
    assert row.last_used_at is not None
