"""Quotas: units that replicas spend together, with and without a database that answers."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from services.gateway.database import Database
from services.gateway.limits import Policy, Quota
from services.gateway.records import QuotaUse
from tests.gateway.test_last_use import nobody_writes

ALICE, BOB = "alice's id", "bob's id"


class Counting:
    """A database that counts what it is asked."""

    def __init__(self, records: Database) -> None:
        self._records, self.trouble = records, records.trouble
        self.reads = self.writes = self.written = 0

    async def read(self, work: Any, scope: Any = None) -> Any:
        self.reads += 1
        return await self._records.read(work, scope)

    async def write(self, work: Any, scope: Any = None) -> Any:
        self.writes += 1
        done = await self._records.write(work, scope)
        self.written += 1
        return done


class Faulty(Counting):
    """A database whose driver fails as no database should."""

    async def write(self, work: Any, scope: Any = None) -> Any:
        del work, scope
        self.writes += 1
        raise RuntimeError("no error of a database")


class Clock:
    """That of this process: it stands still unless it is set."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    set_by_the_test = Clock()
    monkeypatch.setattr("services.gateway.limits.quota.time", set_by_the_test)
    return set_by_the_test


def of(name: str, quota: int) -> Policy:
    """Make a policy whose window outlasts a test on any machine."""
    return Policy(name, quota, window_s=3600)


def counted(records: Any, policy: Policy) -> Quota:
    """A quota that is counted, however busy the machine is."""
    return Quota(records, policy, patience_s=60)


async def taken(quota: Quota, times: int, cost: int = 1, who: str = ALICE) -> int:
    """Ask for units many times; how often there were enough."""
    standings = [await quota.take(who, cost) for _ in range(times)]
    return sum(standing is not None and standing.enough for standing in standings)


async def test_nobody_gets_more_than_the_quota_and_all_of_it_comes_back(
    records: Database, clock: Clock
) -> None:
    quota = counted(records, of("test", 40))
    assert await taken(quota, 50) == 40

    refused = await quota.take(ALICE, 1)
    assert refused is not None
    clock.now = refused.seconds
    await set_clock(records, timedelta(seconds=refused.seconds))

    assert await taken(quota, 50) == 40


async def test_replicas_together_never_spend_more_than_the_quota(records: Database) -> None:
    policy = of("test", 500)
    replicas = [counted(records, policy) for _ in range(3)]

    results = await asyncio.gather(
        *(replica.take(ALICE, 1) for _ in range(250) for replica in replicas)
    )

    assert sum(result is not None and result.enough for result in results) == 500


async def test_what_a_replica_keeps_unspent_is_a_small_part(records: Database) -> None:
    policy = of("test", 480)
    assert await taken(counted(records, policy), 1) == 1

    assert await taken(counted(records, policy), 1000) == 480 - 480 // 16


async def test_most_requests_ask_no_database_and_refusals_ask_none(records: Database) -> None:
    counting = Counting(records)
    quota = counted(counting, of("test", 1600))

    await taken(quota, 100)
    assert counting.writes == 2  # one of them removes old counts
    assert await taken(quota, 2000) == 1500
    asked = counting.writes
    await taken(quota, 1000)

    assert counting.writes == asked < 120


async def test_each_has_a_quota_of_their_own_under_each_policy(records: Database) -> None:
    quota, other = (counted(records, of(name, 3)) for name in ("one", "other"))

    assert await taken(quota, 5) == 3
    assert await taken(quota, 5, who=BOB) == 3
    assert await taken(other, 5) == 3


async def test_work_that_costs_more_takes_more_and_cheap_work_goes_on(records: Database) -> None:
    quota = counted(records, of("test", 10))

    assert await taken(quota, 5, cost=4) == 2
    assert await taken(quota, 5) == 2
    assert await taken(counted(records, of("small", 3)), 2, cost=4) == 1


async def kept(records: Database) -> list[QuotaUse]:
    return await records.read(lambda session: list(session.scalars(select(QuotaUse))))


async def set_clock(records: Database, by: timedelta) -> None:
    """Set the database's clock, as a count that was begun before sees it."""
    ends = (await kept(records))[0].ends_at - by
    moved = update(QuotaUse).values(ends_at=ends)
    await records.write(lambda session: session.execute(moved))


async def test_a_clock_that_is_set_back_keeps_nobody_waiting(records: Database) -> None:
    policy = of("test", 5)
    assert await taken(counted(records, policy), 9) == 5

    await set_clock(records, -timedelta(days=1))

    assert await taken(counted(records, policy), 9) == 5


async def test_a_clock_that_is_set_forward_gives_one_more_quota_at_most(records: Database) -> None:
    policy = of("test", 5)
    replica = counted(records, policy)
    assert await taken(replica, 9) == 5

    await set_clock(records, timedelta(days=1))

    assert await taken(counted(records, policy), 9) == 5
    assert await taken(counted(records, policy), 9) == 0
    assert await taken(replica, 9) == 0


async def test_counts_that_are_over_are_removed(records: Database) -> None:
    await taken(counted(records, of("test", 5)), 1)
    await set_clock(records, timedelta(days=1))

    await taken(counted(records, of("test", 5)), 1, who=BOB)

    assert len(await kept(records)) == 1


async def test_no_limit_is_none(records: Database) -> None:
    counting = Counting(records)

    assert await counted(counting, of("test", 0)).take(ALICE, 1) is None
    assert counting.writes == 0


async def test_while_nobody_can_write_each_replica_goes_on_at_a_pace(
    records: Database, database_url: str, clock: Clock
) -> None:
    if not database_url.startswith("sqlite"):
        return
    counting = Counting(records)
    quota = Quota(counting, of("test", 160), patience_s=0.05)

    async with nobody_writes(database_url):
        assert await taken(quota, 100) == 10
        clock.now += 1
        assert await taken(quota, 100) == 10
        assert (counting.writes, counting.written) == (1, 0)

    await quota.close()
    quota._patience_s = 60  # from here on the database answers, however slowly
    clock.now += 1
    assert await taken(quota, 1000) >= 150


@pytest.mark.usefixtures("clock")
async def test_a_fault_that_nobody_foresaw_is_not_asked_about_for_ever(records: Database) -> None:
    faulty = Faulty(records)

    assert await asyncio.wait_for(taken(counted(faulty, of("test", 160)), 2), 60) == 2

    assert faulty.writes == 1
