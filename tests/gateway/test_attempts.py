"""Guessed passwords: those who guess wait longer and longer, and the owner does not."""

import asyncio
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from sqlmodel import col

from services.gateway import records as tables
from services.gateway.dependencies import DEVICE_COOKIE
from services.gateway.identity import attempts
from services.gateway.identity.origin import Origin
from tests.gateway.conftest import PASSWORD, Gateway, Start

HOME, ELSEWHERE = "198.51.100.7", "203.0.113.7"
CLOCK = "services.gateway.identity.attempts.moment_of"


@pytest.fixture(autouse=True)
def clock_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's wait is over because the machine was slow; who wants it to be sets the clock."""
    moment = tables.now()
    monkeypatch.setattr(CLOCK, lambda _: moment)


async def sign_in(
    gateway: Gateway,
    password: str,
    *,
    address: str = HOME,
    device: str | None = None,
    username: str = "alice",
) -> httpx.Response:
    cookies = {} if device is None else {"Cookie": f"{DEVICE_COOKIE}={device}"}
    transport = httpx.ASGITransport(gateway.app, client=(address, 50000))
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as http:
        form = {"username": username, "password": password}
        return await http.post("/v1/auth/token", data=form, headers=cookies)


async def guess(gateway: Gateway, times: int, **where: Any) -> list[httpx.Response]:
    tries = (sign_in(gateway, f"guess number {n}", **where) for n in range(times))
    return list(await asyncio.gather(*tries))


async def exhausted(gateway: Gateway, **where: Any) -> httpx.Response:
    """Guess until a place has to wait; the first refusal."""
    await guess(gateway, attempts.FREE + 1, **where)
    return await sign_in(gateway, PASSWORD, **where)


async def test_after_ten_wrong_passwords_even_the_right_one_has_to_wait(either: Gateway) -> None:
    await either.signed_in("alice")

    wrong = await guess(either, attempts.FREE + 1)
    refused = await sign_in(either, PASSWORD)

    assert {answer.status_code for answer in wrong} == {401}
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "1"
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.json()["type"] == "/docs/problems#too-many-attempts"


async def test_each_further_wrong_password_doubles_the_wait_up_to_a_quarter_of_an_hour(
    either: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    await either.signed_in("alice")
    moment = tables.now()
    monkeypatch.setattr(CLOCK, lambda _: moment)
    await guess(either, attempts.FREE + 1)
    waits = []
    for _ in range(12):
        waits.append(int((await sign_in(either, "a guess")).headers["Retry-After"]))
        moment += timedelta(seconds=waits[-1])
        assert (await sign_in(either, "a guess")).status_code == 401

    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]
    moment += timedelta(minutes=15)
    assert (await sign_in(either, PASSWORD)).status_code == 200


async def test_many_guesses_at_once_are_no_more_than_one_after_the_other(either: Gateway) -> None:
    await either.signed_in("alice")

    answers = await guess(either, 3 * attempts.FREE)

    assert sum(answer.status_code == 401 for answer in answers) == attempts.FREE + 1
    assert sum(answer.status_code == 429 for answer in answers) == 2 * attempts.FREE - 1


async def test_whether_a_user_exists_cannot_be_told_from_who_has_to_wait(either: Gateway) -> None:
    await either.signed_in("alice")

    real = await exhausted(either)
    unknown = await exhausted(either, username="nobody")

    assert real.status_code == unknown.status_code == 429
    assert {k: v for k, v in real.json().items() if k != "request_id"} == {
        k: v for k, v in unknown.json().items() if k != "request_id"
    }


async def test_the_right_password_ends_the_count_and_so_does_a_day(
    either: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    await either.signed_in("alice")
    for _ in range(2):
        await guess(either, attempts.FREE)
        assert (await sign_in(either, PASSWORD)).status_code == 200

    await guess(either, attempts.FREE)
    later = tables.now() + timedelta(days=1, seconds=1)
    monkeypatch.setattr(CLOCK, lambda _: later)
    answers = await guess(either, attempts.FREE)

    assert {answer.status_code for answer in answers} == {401}


async def test_replicas_count_together(start: Start, database_url: str, tmp_path: Path) -> None:
    async with (
        start(database_url=database_url) as one,
        start(database_url=database_url, DERMSERVE_DATA_DIR=tmp_path / "other") as other,
    ):
        await one.signed_in("alice")
        await guess(one, attempts.FREE + 1)

        assert (await sign_in(other, PASSWORD)).status_code == 429


async def test_a_password_is_changed_after_ten_wrong_ones_only_with_a_wait(
    either: Gateway,
) -> None:
    alice = await either.signed_in("alice")

    async def change(current: str) -> int:
        body = {"current_password": current, "new_password": "lamp under the stairs"}
        return (await alice("PUT", "/v1/me/password", json=body)).status_code

    wrong = [await change("a guess") for _ in range(attempts.FREE + 1)]

    assert set(wrong) == {403}
    assert await change(PASSWORD) == 429
    assert (await sign_in(either, PASSWORD)).status_code == 200


async def test_what_no_longer_counts_is_removed(
    either: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "_CLEANED_EVERY", 2)
    monkeypatch.setattr(attempts, "_CLEANED_AT_ONCE", 1)
    await either.signed_in("alice")
    await sign_in(either, PASSWORD)
    later = tables.now() + attempts.FAMILIAR + timedelta(seconds=1)
    monkeypatch.setattr(CLOCK, lambda _: later)
    await guess(either, 4, username="nobody")

    rows = {}
    for table in (tables.FailedAttempts, tables.FamiliarPlace):
        counted = select(func.count()).select_from(table)
        database = either.parts.accounts._database
        rows[table] = await database.read(partial(Session.scalar, statement=counted))

    assert rows == {tables.FailedAttempts: 2, tables.FamiliarPlace: 0}


async def test_what_no_longer_counts_is_removed_by_the_first_try_of_a_process(
    start: Start, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with start(database_url=database_url) as either:
        await guess(either, 1, username="nobody")
    later = tables.now() + attempts.MEMORY + timedelta(seconds=1)
    monkeypatch.setattr(CLOCK, lambda _: later)
    async with start(database_url=database_url) as either:
        await guess(either, 1, username="somebody")

        counted = select(func.count()).select_from(tables.FailedAttempts)
        database = either.parts.accounts._database
        # In a place, and of all strangers.
        assert await database.read(partial(Session.scalar, statement=counted)) == 2


async def test_sign_ins_of_one_account_at_the_same_moment_all_work(either: Gateway) -> None:
    await either.signed_in("alice")
    database = either.parts.accounts._database
    found = select(col(tables.User.id)).where(col(tables.User.username) == "alice")
    user_id = await database.read(lambda session: session.scalars(found).one())
    tries, origin = attempts.Attempts(database), Origin(HOME)

    async def sign_in_again() -> None:
        for _ in range(5):
            await tries.succeed(await tries.begin("alice", origin), user_id, origin)

    await asyncio.gather(*(sign_in_again() for _ in range(8)))
