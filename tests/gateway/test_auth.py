"""Registering, signing in, staying signed in, signing out: over HTTP."""

import json
import time
from typing import Any

import httpx
import pytest

from tests.gateway.conftest import PASSWORD, Client, Gateway, Start


async def sign_in(gateway: Gateway, username: str, password: str) -> httpx.Response:
    return await gateway.anonymous(
        "POST", "/v1/auth/token", data={"username": username, "password": password}
    )


async def refresh(gateway: Gateway, token: str) -> httpx.Response:
    return await gateway.anonymous("POST", "/v1/auth/refresh", json={"refresh_token": token})


async def fresh(gateway: Gateway, username: str = "alice") -> dict[str, Any]:
    await gateway.signed_in(username)
    answer = await sign_in(gateway, username, PASSWORD)
    assert answer.status_code == 200, answer.text
    pair: dict[str, Any] = answer.json()
    return pair


async def me(gateway: Gateway, token: str | None) -> httpx.Response:
    return await Client(gateway.http, token)("GET", "/v1/me")


async def test_who_registers_is_signed_in_as_a_plain_user(either: Gateway) -> None:
    answer = await either.anonymous(
        "POST", "/v1/auth/register", json={"username": "Alice", "password": PASSWORD}
    )

    assert answer.status_code == 201
    pair = answer.json()
    assert pair.keys() == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert (pair["token_type"], pair["expires_in"]) == ("bearer", 900)
    shown = (await me(either, pair["access_token"])).json()
    assert (shown["username"], shown["role"], shown["roles"]) == (
        "alice",
        "clinician",
        ["clinician"],
    )
    assert "password" not in json.dumps(shown)


async def test_a_username_is_taken_in_any_case(either: Gateway) -> None:
    await either.signed_in("alice")

    answer = await either.anonymous(
        "POST", "/v1/auth/register", json={"username": "ALICE", "password": PASSWORD}
    )

    assert answer.status_code == 409


async def test_registration_can_be_closed(start: Start, database_url: str) -> None:
    async with start(database_url=database_url, registration_open=False) as gateway:
        answer = await gateway.anonymous(
            "POST", "/v1/auth/register", json={"username": "eve", "password": PASSWORD}
        )

    assert answer.status_code == 403


BROKEN = [
    {"username": "bob", "password": "short77"},
    {"username": "bob", "password": "x" * 129},
    {"username": "", "password": PASSWORD},
    {"username": "-bob", "password": PASSWORD},
    {"username": "bob\n", "password": PASSWORD},
    {"username": "b" * 65, "password": PASSWORD},
    {"username": "bob"},
]


async def test_a_registration_that_breaks_the_rules_is_refused_without_repeating_it(
    either: Gateway,
) -> None:
    for body in BROKEN:
        answer = await either.anonymous("POST", "/v1/auth/register", json=body)

        assert answer.status_code == 422, body
        assert body.get("password", "-none-") not in answer.text, body


async def test_eight_and_128_characters_make_a_password(either: Gateway) -> None:
    for username, password in (("eight", "x7 lamps"), ("many", "ö" * 128)):
        await either.signed_in(username, password)
        assert (await sign_in(either, username, password)).status_code == 200


async def test_a_wrong_password_and_an_unknown_user_get_the_same_answer(either: Gateway) -> None:
    await either.signed_in("alice")

    wrong = await sign_in(either, "alice", "not her password")
    unknown = await sign_in(either, "nobody", "not her password")

    assert wrong.status_code == unknown.status_code == 401
    differing = {"request_id"}
    assert {k: v for k, v in wrong.json().items() if k not in differing} == {
        k: v for k, v in unknown.json().items() if k not in differing
    }
    assert wrong.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("stranger", ["nobody", "\0"])
async def test_a_wrong_password_and_an_unknown_user_take_about_the_same_time(
    gateway: Gateway, stranger: str
) -> None:
    await gateway.signed_in("alice")

    async def took(username: str) -> float:
        began = time.perf_counter()
        await sign_in(gateway, username, "not the password")
        return time.perf_counter() - began

    # In turns, so that what disturbs one disturbs the other; the best is what the work costs.
    turns = [(await took("alice"), await took(stranger)) for _ in range(8)]
    wrong, unknown = map(min, zip(*turns, strict=True))

    # Without the dummy hash the unknown user would take a small fraction of it.
    assert unknown > wrong / 3


async def test_what_cannot_be_a_username_is_an_unknown_one(either: Gateway) -> None:
    await either.signed_in("alice")
    for username in ("\0", "alice\0", "x" * 300, "-", "ä", " alice"):
        answer = await sign_in(either, username, PASSWORD)

        assert answer.status_code == 401, username
        assert answer.json()["detail"] == "The username or the password is wrong.", username


async def test_signing_out_ends_both_tokens_at_once(either: Gateway) -> None:
    for by_body in (True, False):
        pair = await fresh(either, f"user{by_body}".lower())
        client = Client(either.http, None if by_body else pair["access_token"])
        body = {"json": {"refresh_token": pair["refresh_token"]}} if by_body else {}

        answer = await client("POST", "/v1/auth/logout", **body)

        assert answer.status_code == 204, answer.text
        assert (await me(either, pair["access_token"])).status_code == 401
        assert (await refresh(either, pair["refresh_token"])).status_code == 401


async def test_signing_out_needs_a_token_and_tells_nothing_about_unknown_ones(
    either: Gateway,
) -> None:
    nothing = await either.anonymous("POST", "/v1/auth/logout")
    unknown = await either.anonymous(
        "POST", "/v1/auth/logout", json={"refresh_token": "never seen"}
    )

    assert (nothing.status_code, unknown.status_code) == (401, 204)
