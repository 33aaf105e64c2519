"""A host of PostgreSQL vanishes without a word: nobody waits for it without end."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from services.gateway.database import EVERYTHING, opening, postgresql
from services.gateway.database.postgresql import Postgresql
from tests.gateway import wires
from tests.gateway.conftest import Start
from tests.gateway.test_connections import AT_ONCE, which
from tests.gateway.wires import Wire

WITHIN_S = 10
"""Far more than the bounds that these tests set, and far less than TCP would wait."""


@pytest.fixture
async def wire(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Wire, str]]:
    """A wire, and what there is to be waited for an answer over it."""
    monkeypatch.setattr(Postgresql.__init__, "__defaults__", (1.0,))
    monkeypatch.setattr(postgresql, "_PING_S", 1.0)
    monkeypatch.setattr(opening, "_PATIENCE_S", 1.0)
    async with wires.to(postgres_url) as laid:
        yield laid


@pytest.mark.parametrize("fresh_s", [60, -1], ids=["used lately", "unused for long"])
async def test_a_request_is_told_in_time_and_the_next_ones_are_served_when_the_host_is_back(
    start: Start, wire: tuple[Wire, str], fresh_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "_FRESH_S", fresh_s)
    over, url = wire
    async with start(database_url=url) as gateway, asyncio.timeout(WITHIN_S):
        alice = await gateway.signed_in()
        over.dead = True
        lost = await alice("GET", "/v1/analyses")
        over.dead = False
        back = [await alice("GET", "/v1/analyses") for _ in range(3)]

    assert (lost.status_code, lost.json()["type"]) == (503, "/docs/problems#unavailable")
    assert lost.headers["Retry-After"]
    assert [answer.status_code for answer in back] == [200] * 3


async def test_who_leaves_meanwhile_keeps_no_connection_from_others(
    wire: tuple[Wire, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "CONNECTIONS", 1)
    over, url = wire
    database = Postgresql(make_url(url), 5)
    try:
        async with asyncio.timeout(WITHIN_S):
            await database.read(which, EVERYTHING)
            over.dead = True
            leaving = asyncio.create_task(database.read(which, EVERYTHING))
            await over.lost.wait()
            leaving.cancel()
            await asyncio.wait([leaving])
            over.dead = False
            await database.read(which, EVERYTHING)
    finally:
        await database.close()
    assert leaving.cancelled()


async def test_all_who_wait_are_told_at_the_same_time(wire: tuple[Wire, str]) -> None:
    over, url = wire
    database = Postgresql(make_url(url), 5)
    try:
        async with asyncio.timeout(WITHIN_S):
            await asyncio.gather(*(database.read(which, EVERYTHING) for _ in range(AT_ONCE)))
            over.dead = True
            waiting = [database.write(which, EVERYTHING) for _ in range(AT_ONCE)]
            told = await asyncio.gather(*waiting, return_exceptions=True)
            over.dead = False
            await database.write(which, EVERYTHING)
    finally:
        await database.close()
    assert {type(each) for each in told} == {ConnectionError}


async def test_a_migration_takes_what_it_takes(wire: tuple[Wire, str]) -> None:
    _, url = wire
    database = Postgresql.unhurried(make_url(url), 5)
    try:
        await database.write(
            lambda session: session.execute(text("SELECT pg_sleep(1.2)")), EVERYTHING
        )
    finally:
        await database.close()
