"""Networks and devices from which passwords are tried: each waits for its own guesses."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from services import environment
from services.gateway import records as tables
from services.gateway.dependencies import DEVICE_COOKIE
from services.gateway.identity import attempts
from services.gateway.settings import Settings
from tests.gateway.conftest import PASSWORD, Client, Gateway
from tests.gateway.installation import ADMIN_PASSWORD
from tests.gateway.processes import running
from tests.gateway.test_attempts import CLOCK, ELSEWHERE, HOME, exhausted, guess, sign_in


@pytest.fixture(autouse=True)
def standing(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """The moment at which all happens: not even a wait of a second is over too soon.

    It is ahead, so that a count is always older.
    """
    moment = tables.now() + timedelta(hours=1)
    monkeypatch.setattr(CLOCK, lambda _: moment)
    return moment


def device_of(answer: httpx.Response) -> str:
    name, _, value = answer.headers["Set-Cookie"].partition(";")[0].partition("=")
    assert name == DEVICE_COOKIE
    return str(value)


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
    either: Gateway, monkeypatch: pytest.MonkeyPatch, standing: datetime
) -> None:
    assert attempts._delay(1000, attempts.STRANGERS_MOST_WAIT) == timedelta(minutes=1)
    monkeypatch.setattr(attempts, "STRANGERS_FREE", -10)
    await either.signed_in("alice")
    await sign_in(either, "a guess", address=ELSEWHERE)
    assert (await sign_in(either, PASSWORD, address=ELSEWHERE)).headers["Retry-After"] == "60"
    monkeypatch.setattr(CLOCK, lambda _: standing + timedelta(seconds=61))

    assert (await sign_in(either, PASSWORD, address=ELSEWHERE)).status_code == 200


async def test_a_changed_password_makes_every_place_strange_again(either: Gateway) -> None:
    await either.signed_in("alice")
    first = await sign_in(either, PASSWORD)
    alice = Client(either.http, first.json()["access_token"])
    body = {"current_password": PASSWORD, "new_password": "lamp under the stairs"}
    assert (await alice("PUT", "/v1/me/password", json=body)).status_code == 204

    await exhausted(either)

    known = await sign_in(either, "lamp under the stairs", device=device_of(first))
    assert known.status_code == 429


async def test_the_cookie_of_a_device_signs_nobody_in_and_is_for_this_host_alone(
    either: Gateway,
) -> None:
    """Or a page of a neighbour could give a browser the place that its guesses come from."""
    await either.signed_in("alice")
    form = {"username": "alice", "password": PASSWORD}
    answer = await sign_in(either, PASSWORD)
    page = await either.http.post("/sign-in", data=form, headers={"Sec-Fetch-Site": "same-origin"})
    device = device_of(answer)
    cookies = [each for each in page.headers.get_list("Set-Cookie") if DEVICE_COOKIE in each]

    for cookie in (answer.headers["Set-Cookie"], *cookies):
        name, *words = cookie.split("; ")
        assert name.startswith("__Host-dermserve-")
        assert {"Secure", "HttpOnly", "SameSite=strict", "Path=/"} <= set(words)
        assert not any(word.lower().startswith("domain") for word in words)
    assert len(cookies) == 1
    for headers in (
        {"Cookie": f"{DEVICE_COOKIE}={device}"},
        {"Authorization": f"Bearer {device}"},
    ):
        assert (await either.anonymous("GET", "/v1/me", headers=headers)).status_code == 401
    assert (await sign_in(either, "a guess", device=device)).status_code == 401


async def test_a_cookie_that_is_too_long_to_be_ours_keeps_nobody_out(either: Gateway) -> None:
    await either.signed_in("alice")

    answer = await sign_in(either, PASSWORD, device="a" * 129)

    assert answer.status_code == 200
    assert device_of(answer) != "a" * 129


async def test_what_a_proxy_says_of_its_clients_is_believed_only_where_it_is_trusted(
    tmp_path: Path,
) -> None:
    async def answered(folder: Path, **changes: str) -> set[int]:
        changes["DERMSERVE_GATEWAY_ADMIN_PASSWORD"] = ADMIN_PASSWORD
        statuses = set[int]()
        async with (
            running(folder, **changes) as gateway,
            httpx.AsyncClient(base_url=gateway.url, timeout=60) as http,
        ):
            # A second may be over before the next guess comes, but not all of ever longer waits.
            for n in range(attempts.FREE + 8):
                answer = await http.post(
                    "/v1/auth/token",
                    data={"username": "admin", "password": "a guess"},
                    headers={"X-Forwarded-For": f"203.0.{n}.1"},
                )
                statuses.add(answer.status_code)
                if answer.status_code == 429:
                    break
        return statuses

    trusted = {"DERMSERVE_GATEWAY_TRUSTED_PROXIES": "127.0.0.0/8, ::1"}

    assert await answered(tmp_path / "one") == {401, 429}
    assert await answered(tmp_path / "two", **trusted) == {401}


def test_proxies_that_are_no_addresses_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DERMSERVE_GATEWAY_TRUSTED_PROXIES", "127.0.0.1, the-proxy")

    with pytest.raises(environment.SettingsError, match="DERMSERVE_GATEWAY_TRUSTED_PROXIES"):
        environment.read(Settings)
