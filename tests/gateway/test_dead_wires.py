"""A host of PostgreSQL vanishes without a word: nobody waits for it without end."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from services.gateway import kinds
from services.gateway.database import EVERYTHING, postgresql
from services.gateway.database.postgresql import Postgresql
from tests.gateway import wires
from tests.gateway.clocks import pass_time
from tests.gateway.conftest import Start
from tests.gateway.test_connections import AT_ONCE, end_others, which
from tests.gateway.wires import Wire

LONGEST_S = 300
"""Far less than TCP would wait; what a gateway does beside a request waits in between."""


@pytest.fixture
async def wire(postgres_url: str) -> AsyncIterator[tuple[Wire, str]]:
    """A wire to a database."""
    async with wires.to(postgres_url) as laid:
        yield laid


@contextlib.asynccontextmanager
async def dead(over: Wire) -> AsyncIterator[list[float]]:
    """A wire is dead for a while; whoever waits for an answer over it has waited long at once.

    Yields the seconds that were passed over.
    """
    passed: list[float] = []

    async def pass_over() -> None:
        while sum(passed) <= 2 * LONGEST_S:
            # While nothing is lost, only real time goes by.
            async with asyncio.timeout(60):
                await over.lost.wait()
            over.lost.clear()
            passed.append(postgresql.ANSWER_S)
            pass_time(passed[-1])
        raise AssertionError("somebody asks without end")

    over.dead = True
    try:
        async with asyncio.TaskGroup() as group:
            passing = group.create_task(pass_over())
            yield passed
            passing.cancel()
    finally:
        over.dead = False


@pytest.mark.parametrize("fresh_s", [60, -1], ids=["used lately", "unused for long"])
async def test_a_request_is_told_in_time_and_the_next_ones_are_served_when_the_host_is_back(
    start: Start, wire: tuple[Wire, str], fresh_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "_FRESH_S", fresh_s)
    over, url = wire
    async with start(database_url=url, job_workers=0) as gateway:
        alice = await gateway.signed_in()
        async with dead(over) as passed:
            lost = await alice("GET", "/v1/analyses")
        back = [await alice("GET", "/v1/analyses") for _ in range(3)]

    assert (lost.status_code, lost.json()["type"]) == (503, "/docs/problems#unavailable")
    assert lost.headers["Retry-After"]
    assert [answer.status_code for answer in back] == [200] * 3
    assert sum(passed) <= LONGEST_S


@pytest.mark.parametrize("fresh_s", [60, -1], ids=["used lately", "unused for long"])
async def test_a_server_whose_last_word_has_come_and_its_end_has_not_is_no_fault_of_ours(
    postgres_url: str, wire: tuple[Wire, str], fresh_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "_FRESH_S", fresh_s)
    over, url = wire
    here, there = Postgresql(make_url(url), 60), Postgresql(make_url(postgres_url), 60)
    try:
        async with asyncio.timeout(120):
            before = await here.read(which, EVERYTHING)
            over.keeps_ends = True
            await there.read(end_others, EVERYTHING)
            await over.hung_up.wait()
            over.keeps_ends = False
            for _ in range(100):
                await asyncio.sleep(0)
            (found,) = await asyncio.gather(here.read(which, EVERYTHING), return_exceptions=True)
            assert not isinstance(found, Exception) or kinds.kind_of(found).status == 503
            assert await here.read(which, EVERYTHING) != before
    finally:
        await here.close()
        await there.close()


async def test_who_leaves_meanwhile_keeps_no_connection_from_others(
    wire: tuple[Wire, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "CONNECTIONS", 1)
    over, url = wire
    database = Postgresql(make_url(url), postgresql.ANSWER_S)
    try:
        async with asyncio.timeout(60):
            await database.read(which, EVERYTHING)
            over.dead = True
            leaving = asyncio.create_task(database.read(which, EVERYTHING))
            await over.lost.wait()
            leaving.cancel()
            await asyncio.wait([leaving])
            over.dead = False
            pass_time(postgresql._FAREWELL_S)
            await database.read(which, EVERYTHING)
    finally:
        await database.close()
    assert leaving.cancelled()


async def test_all_who_wait_are_told_at_the_same_time(wire: tuple[Wire, str]) -> None:
    over, url = wire
    database = Postgresql(make_url(url), postgresql.ANSWER_S)
    try:
        await asyncio.gather(*(database.read(which, EVERYTHING) for _ in range(AT_ONCE)))
        async with dead(over) as passed:
            waiting = [database.write(which, EVERYTHING) for _ in range(AT_ONCE)]
            told = await asyncio.gather(*waiting, return_exceptions=True)
        await database.write(which, EVERYTHING)
    finally:
        await database.close()
    assert {type(each) for each in told} == {ConnectionError}
    assert len(passed) < AT_ONCE / 2


async def test_a_migration_takes_what_it_takes(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Postgresql.__init__, "__defaults__", (0.1,))
    database = Postgresql.unhurried(make_url(postgres_url), 60)
    try:
        await database.write(
            lambda session: session.execute(text("SELECT pg_sleep(0.3)")), EVERYTHING
        )
    finally:
        await database.close()
