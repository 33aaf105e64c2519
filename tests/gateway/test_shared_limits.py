"""Limits where gateways share a database: together they let through as much as one would."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import httpx
import pytest

from tests import specimens
from tests.gateway.conftest import Client, Gateway, Start
from tests.gateway.test_jobs import LATER, submitted
from tests.gateway.test_places import SHARE_TAKEN
from tests.gateway.test_rate_limits import ask
from tests.gateway.test_storage_quotas import PICTURES, is_refused

QUOTA = 20

Asking = Callable[[], Awaitable[httpx.Response]]


async def let_through(*asking: Asking) -> int:
    """Have each ask more often than all together may, side by side; count what is not refused."""

    async def until_refused(one: Asking) -> int:
        statuses = [(await one()).status_code for _ in range(QUOTA + 1)]
        assert statuses[-1] == 429
        return sum(status != 429 for status in statuses)

    return sum(await asyncio.gather(*map(until_refused, asking)))


@pytest.mark.usefixtures("quotas_last")
async def test_gateways_together_let_through_as_many_requests_as_one(
    start: Start, database_url: str
) -> None:
    shared = {"database_url": database_url, "caller_quota": QUOTA, "address_quota": QUOTA}
    async with start(**shared) as one, start(**shared) as other:
        alice, bob = await one.signed_in("alice"), await one.signed_in("bob")
        alice_there = Client(other.http, alice.token)
        lone, roaming = "203.0.113.7", "203.0.113.8"

        def refresh(gateway: Gateway, address: str) -> Asking:
            """Ask for what costs a stranger two units."""
            return partial(ask, gateway, address, "POST", "/v1/auth/refresh", json={})

        by_one = await let_through(partial(bob, "GET", "/v1/me"))
        by_both = await let_through(
            partial(alice, "GET", "/v1/me"), partial(alice_there, "GET", "/v1/me")
        )
        of_strangers_by_one = await let_through(refresh(one, lone))
        of_strangers_by_both = await let_through(refresh(one, roaming), refresh(other, roaming))

    assert by_both == by_one == QUOTA
    assert of_strangers_by_both == of_strangers_by_one == QUOTA // 2


@pytest.mark.usefixtures("quotas_last")
async def test_what_gateways_tell_of_a_quota_is_of_one_count_and_of_one_window(
    start: Start, database_url: str
) -> None:
    shared = {"database_url": database_url, "caller_quota": QUOTA, "address_quota": QUOTA}
    async with start(**shared) as one, start(**shared) as other:
        here = await one.signed_in()
        there = Client(other.http, here.token)
        answers = [await here("GET", "/v1/me") for _ in range(QUOTA // 2)]
        answers += [await there("GET", "/v1/me") for _ in range(QUOTA // 2)]
        spent = [await by("GET", "/v1/me") for by in (here, there)]

    told = [answer.headers["RateLimit"].partition(";t=")[0] for answer in [*answers, *spent]]
    # Of so small a quota no gateway keeps a unit that it does not need at once.
    assert told == [f'"caller";r={n}' for n in [*reversed(range(QUOTA)), 0, 0]]
    assert [answer.status_code for answer in spent] == [429] * 2
    assert len({answer.headers["RateLimit-Policy"] for answer in [*answers, *spent]}) == 1
    here_s, there_s = (int(answer.headers["Retry-After"]) for answer in spent)
    assert abs(here_s - there_s) <= 1


async def test_gateways_together_take_in_as_many_pictures_as_one(
    start: Start, database_url: str
) -> None:
    line = {"max_queued_pictures": 4, "max_batch_pictures": 2, "job_workers": 0}
    shared = {"database_url": database_url, "user_quota_pictures": 3, **line}
    async with start(**shared) as one, start(**shared) as other:
        here = await one.signed_in()
        there = Client(other.http, here.token)

        waiting = [await submitted(by) for by in (here, there)]
        picture = {"files": {"image": specimens.lesion_jpeg()}, "headers": LATER}
        further = [await by("POST", "/v1/analyses", **picture) for by in (here, there)]
        kept = await here.analyze(PICTURES[0])
        too_many = [await by.analyze(PICTURES[1]) for by in (here, there)]

    assert len(waiting) == 2
    assert [answer.json()["type"] for answer in further] == [SHARE_TAKEN] * 2
    assert kept.status_code == 201
    assert all(is_refused(answer, "you") for answer in too_many)
