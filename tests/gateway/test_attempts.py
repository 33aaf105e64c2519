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

from services import environment
from services.gateway import records as tables
from services.gateway.dependencies import DEVICE_COOKIE
from services.gateway.identity import attempts
from services.gateway.identity.origin import Origin
from services.gateway.settings import Settings
from tests.gateway.conftest import ADMIN_PASSWORD, PASSWORD, Client, Gateway, Start
from tests.gateway.processes import running

HOME, ELSEWHERE = "198.51.100.7", "203.0.113.7"
CLOCK = "services.gateway.identity.attempts.now"


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


def device_of(answer: httpx.Response) -> str:
    name, _, value = answer.headers["Set-Cookie"].partition(";")[0].partition("=")
    assert name == DEVICE_COOKIE
    return str(value)


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
    assert refused.json()["type"] == "urn:dermserve:problem:too-many-attempts"


async def test_each_further_wrong_password_doubles_the_wait_up_to_a_quarter_of_an_hour(
    either: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    await either.signed_in("alice")
    moment = tables.now()
    monkeypatch.setattr(CLOCK, lambda: moment)
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


async def test_who_guesses_elsewhere_keeps_neither_the_owner_out_nor_other_users(
    either: Gateway,
) -> None:
    for name in ("alice", "bob"):
        await either.signed_in(name)

    assert (await exhausted(either, address=ELSEWHERE)).status_code == 429

    assert (await sign_in(either, PASSWORD, address=HOME)).status_code == 200
    assert (await sign_in(either, PASSWORD, address=ELSEWHERE, username="bob")).status_code == 200


@pytest.mark.parametrize(
    ("mine", "neighbour", "together"),
    [
        ("198.51.100.7", "198.51.100.200", True),
        ("198.51.100.7", "198.51.101.7", False),
        ("2001:db8:1:2::3", "2001:db8:1:ffff::9", True),
        ("2001:db8:1:2::3", "2001:db8:2:2::3", False),
        ("198.51.100.7", "::ffff:198.51.100.9", True),
    ],
)
async def test_addresses_of_one_network_are_one_place(
    gateway: Gateway, mine: str, neighbour: str, *, together: bool
) -> None:
    await gateway.signed_in("alice")
    await exhausted(gateway, address=mine)

    answer = await sign_in(gateway, PASSWORD, address=neighbour)

    assert answer.status_code == (429 if together else 200)


async def test_a_device_that_was_here_before_does_not_wait_for_guesses_from_its_own_network(
    either: Gateway,
) -> None:
    await either.signed_in("alice")
    device = device_of(await sign_in(either, PASSWORD))

    assert (await exhausted(either)).status_code == 429

    again = await sign_in(either, PASSWORD, device=device)
    assert again.status_code == 200
    assert device_of(again) == device


async def test_a_device_is_slowed_like_any_place_and_a_made_up_one_is_none(
    either: Gateway,
) -> None:
    for name in ("alice", "bob"):
        await either.signed_in(name)
    device = device_of(await sign_in(either, PASSWORD))

    assert (await exhausted(either, device=device)).status_code == 429
    await exhausted(either, address=ELSEWHERE)
    made_up = await sign_in(either, PASSWORD, address=ELSEWHERE, device="made up")
    of_another = await exhausted(either, username="bob", device=device)

    assert (made_up.status_code, of_another.status_code) == (429, 429)
    assert (await sign_in(either, PASSWORD, address=HOME)).status_code == 200


async def test_guessers_with_many_networks_wait_together_and_known_places_pass(
    either: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "STRANGERS_FREE", 12)
    await either.signed_in("alice")
    device = device_of(await sign_in(either, PASSWORD, address=HOME))
    spread = [guess(either, 5, address=f"203.0.{n}.1") for n in range(3)]
    answers = [answer for part in await asyncio.gather(*spread) for answer in part]

    assert sum(answer.status_code == 401 for answer in answers) == 13
    stranger = await sign_in(either, PASSWORD, address="192.0.2.1")
    assert (stranger.status_code, stranger.headers["Retry-After"]) == (429, "1")
    assert (await sign_in(either, PASSWORD, address=HOME)).status_code == 200
    travelling = await sign_in(either, PASSWORD, address="192.0.2.1", device=device)
    assert travelling.status_code == 200


async def test_strangers_never_wait_longer_than_a_minute(
    either: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert attempts._delay(1000, attempts.STRANGERS_MOST_WAIT) == timedelta(minutes=1)
    monkeypatch.setattr(attempts, "STRANGERS_FREE", -10)
    await either.signed_in("alice")
    await sign_in(either, "a guess", address=ELSEWHERE)
    assert (await sign_in(either, PASSWORD, address=ELSEWHERE)).headers["Retry-After"] == "60"
    later = tables.now() + timedelta(seconds=61)
    monkeypatch.setattr(CLOCK, lambda: later)

    assert (await sign_in(either, PASSWORD, address=ELSEWHERE)).status_code == 200


async def test_the_right_password_ends_the_count_and_so_does_a_day(
    either: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    await either.signed_in("alice")
    for _ in range(2):
        await guess(either, attempts.FREE)
        assert (await sign_in(either, PASSWORD)).status_code == 200

    await guess(either, attempts.FREE)
    later = tables.now() + timedelta(days=1, seconds=1)
    monkeypatch.setattr(CLOCK, lambda: later)
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


async def test_a_changed_password_makes_every_place_strange_again(either: Gateway) -> None:
    await either.signed_in("alice")
    first = await sign_in(either, PASSWORD)
    alice = Client(either.http, first.json()["access_token"])
    body = {"current_password": PASSWORD, "new_password": "lamp under the stairs"}
    assert (await alice("PUT", "/v1/me/password", json=body)).status_code == 204

    await exhausted(either)

    known = await sign_in(either, "lamp under the stairs", device=device_of(first))
    assert known.status_code == 429


async def test_the_cookie_of_a_device_signs_nobody_in_and_stays_where_it_belongs(
    gateway: Gateway,
) -> None:
    await gateway.signed_in("alice")
    answer = await sign_in(gateway, PASSWORD)
    attributes = {part.strip().lower() for part in answer.headers["Set-Cookie"].split(";")[1:]}
    device = device_of(answer)

    assert {"secure", "httponly", "samesite=strict", "path=/v1/auth"} <= attributes
    for headers in (
        {"Cookie": f"{DEVICE_COOKIE}={device}"},
        {"Authorization": f"Bearer {device}"},
    ):
        assert (await gateway.anonymous("GET", "/v1/me", headers=headers)).status_code == 401
    assert (await sign_in(gateway, "a guess", device=device)).status_code == 401


async def test_what_no_longer_counts_is_removed(
    either: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "_CLEANED_EVERY", 2)
    await either.signed_in("alice")
    await sign_in(either, PASSWORD)
    later = tables.now() + attempts.FAMILIAR + timedelta(seconds=1)
    monkeypatch.setattr(CLOCK, lambda: later)
    await guess(either, 2, username="nobody")

    rows = {}
    for table in (tables.FailedAttempts, tables.FamiliarPlace):
        counted = select(func.count()).select_from(table)
        database = either.parts.accounts._database
        rows[table] = await database.read(partial(Session.scalar, statement=counted))

    assert rows == {tables.FailedAttempts: 2, tables.FamiliarPlace: 0}


async def test_what_a_proxy_says_of_its_clients_is_believed_only_where_it_is_trusted(
    tmp_path: Path,
) -> None:
    async def waits(folder: Path, **changes: str) -> set[int]:
        changes["DERMSERVE_GATEWAY_ADMIN_PASSWORD"] = ADMIN_PASSWORD
        async with (
            running(folder, **changes) as gateway,
            httpx.AsyncClient(base_url=gateway.url, timeout=30) as http,
        ):
            for n in range(attempts.FREE + 2):
                answer = await http.post(
                    "/v1/auth/token",
                    data={"username": "admin", "password": "a guess"},
                    headers={"X-Forwarded-For": f"203.0.{n}.1"},
                )
        return {answer.status_code}

    trusted = {"DERMSERVE_GATEWAY_TRUSTED_PROXIES": "127.0.0.0/8, ::1"}

    assert await waits(tmp_path / "one") == {429}
    assert await waits(tmp_path / "two", **trusted) == {401}


def test_proxies_that_are_no_addresses_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DERMSERVE_GATEWAY_TRUSTED_PROXIES", "127.0.0.1, the-proxy")

    with pytest.raises(environment.SettingsError, match="DERMSERVE_GATEWAY_TRUSTED_PROXIES"):
        environment.read(Settings)


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
