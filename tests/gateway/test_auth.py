"""Registering, signing in, staying signed in, signing out: over HTTP."""

import asyncio
import base64
import json
import time
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.gateway.records import now
from services.gateway.security import keys, tokens
from tests.gateway.conftest import PASSWORD, Client, Gateway, Start

CLOCK = "services.gateway.identity.sign_ins.now"


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


async def test_who_registers_is_signed_in_as_a_plain_user(gateway: Gateway) -> None:
    answer = await gateway.anonymous(
        "POST", "/v1/auth/register", json={"username": "Alice", "password": PASSWORD}
    )

    assert answer.status_code == 201
    pair = answer.json()
    assert pair.keys() == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert (pair["token_type"], pair["expires_in"]) == ("bearer", 900)
    shown = (await me(gateway, pair["access_token"])).json()
    assert (shown["username"], shown["role"], shown["roles"]) == (
        "alice",
        "clinician",
        ["clinician"],
    )
    assert "password" not in json.dumps(shown)


async def test_a_username_is_taken_in_any_case(gateway: Gateway) -> None:
    await gateway.signed_in("alice")

    answer = await gateway.anonymous(
        "POST", "/v1/auth/register", json={"username": "ALICE", "password": PASSWORD}
    )

    assert answer.status_code == 409


async def test_registration_can_be_closed(start: Start) -> None:
    async with start(registration_open=False) as gateway:
        answer = await gateway.anonymous(
            "POST", "/v1/auth/register", json={"username": "eve", "password": PASSWORD}
        )

    assert answer.status_code == 403


@pytest.mark.parametrize(
    "body",
    [
        {"username": "bob", "password": "short77"},
        {"username": "bob", "password": "x" * 129},
        {"username": "", "password": PASSWORD},
        {"username": "-bob", "password": PASSWORD},
        {"username": "bob\n", "password": PASSWORD},
        {"username": "b" * 65, "password": PASSWORD},
        {"username": "bob"},
    ],
)
async def test_a_registration_that_breaks_the_rules_is_refused_without_repeating_it(
    gateway: Gateway, body: dict[str, str]
) -> None:
    answer = await gateway.anonymous("POST", "/v1/auth/register", json=body)

    assert answer.status_code == 422
    assert body.get("password", "-none-") not in answer.text


async def test_eight_and_128_characters_make_a_password(gateway: Gateway) -> None:
    for username, password in (("eight", "x7 lamps"), ("many", "ö" * 128)):
        await gateway.signed_in(username, password)
        assert (await sign_in(gateway, username, password)).status_code == 200


async def test_a_wrong_password_and_an_unknown_user_get_the_same_answer(gateway: Gateway) -> None:
    await gateway.signed_in("alice")

    wrong = await sign_in(gateway, "alice", "not her password")
    unknown = await sign_in(gateway, "nobody", "not her password")

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

    async def quickest(username: str) -> float:
        """The best of several tries: what the work costs when nothing disturbs it."""
        times = []
        for _ in range(5):
            began = time.perf_counter()
            await sign_in(gateway, username, "not the password")
            times.append(time.perf_counter() - began)
        return min(times)

    wrong, unknown = await quickest("alice"), await quickest(stranger)

    # Without the dummy hash the unknown user would take a small fraction of it.
    assert unknown > wrong / 3


def forged(gateway: Gateway, **changes: Any) -> str:
    """A token like ours but for the changes, signed with our key."""
    now = int(time.time())
    payload = {
        "iss": tokens.ISSUER,
        "aud": tokens.AUDIENCE,
        "sub": "someone",
        "sid": "some sign-in",
        "iat": now,
        "nbf": now,
        "exp": now + 900,
        "jti": "1",
    }
    header = changes.pop("header", {"typ": "at+jwt"})
    key = changes.pop("key", gateway.parts.keys.newest().private)
    algorithm = changes.pop("algorithm", "EdDSA")
    payload = {k: v for k, v in (payload | changes).items() if v is not None}
    return jwt.encode(payload, key, algorithm, header)


def unsigned(claims: dict[str, Any], algorithm: str = "none") -> str:
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': algorithm, 'typ': 'at+jwt'})}.{part(claims)}."


async def bad_tokens(gateway: Gateway) -> dict[str, str | None]:
    """Everything that somebody might try, about a user and a sign-in that exist."""
    pair = await fresh(gateway)
    good = jwt.decode(pair["access_token"], options={"verify_signature": False})
    real = {"sub": good["sub"], "sid": good["sid"]}
    public = gateway.parts.keys.newest().public.public_bytes(
        serialization.Encoding.Raw, serialization.PublicFormat.Raw
    )
    ago = int(time.time()) - 1000
    head, body, signature = pair["access_token"].split(".")
    return {
        "missing": None,
        "empty": "",
        "noise": "not.a.token",
        "expired": forged(gateway, **real, iat=ago, nbf=ago, exp=ago + 900),
        "not yet valid": forged(gateway, **real, nbf=int(time.time()) + 600),
        "another key": forged(gateway, **real, key=Ed25519PrivateKey.generate()),
        "alg none": unsigned(good),
        "alg none, oddly written": unsigned(good, "nOnE"),
        "HS256 with our public key": forged(gateway, **real, key=public, algorithm="HS256"),
        "another audience": forged(gateway, **real, aud="somebody-else"),
        "another issuer": forged(gateway, **real, iss="somebody-else"),
        "another kind": forged(gateway, **real, header={"typ": "JWT"}),
        "without expiry": forged(gateway, **real, exp=None),
        "without audience": forged(gateway, **real, aud=None),
        "without sign-in": forged(gateway, sub=good["sub"], sid=None),
        "a sign-in that is not": forged(gateway, sub=good["sub"]),
        "somebody else's sign-in": forged(gateway, sid=good["sid"]),
        "the refresh token": pair["refresh_token"],
        "changed signature": f"{head}.{body}.{signature[:-8]}AAAAAAAA",
        "no signature": f"{head}.{body}.",
    }


async def test_tokens_that_are_wrong_in_any_way_are_refused(gateway: Gateway) -> None:
    for why, token in (await bad_tokens(gateway)).items():
        answer = await me(gateway, token)

        assert answer.status_code == 401, why
        assert answer.headers["Content-Type"] == "application/problem+json", why
        assert answer.headers["WWW-Authenticate"] == "Bearer", why
        assert answer.json()["detail"].startswith("The access token is missing, expired"), why


async def test_a_token_that_was_good_is_refused_once_it_has_expired(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = (await fresh(gateway))["access_token"]
    assert (await me(gateway, token)).status_code == 200

    later = time.time() + gateway.settings.access_token_s + 10
    monkeypatch.setattr(time, "time", lambda: later)

    assert (await me(gateway, token)).status_code == 401


async def test_a_token_made_the_same_way_with_nothing_wrong_is_good(gateway: Gateway) -> None:
    """What makes the refusals above mean something."""
    good = jwt.decode((await fresh(gateway))["access_token"], options={"verify_signature": False})

    answer = await me(gateway, forged(gateway, sub=good["sub"], sid=good["sid"]))

    assert answer.status_code == 200
    assert good["exp"] - good["iat"] == 900


@pytest.mark.parametrize("scheme", ["Basic", "Token"])
async def test_other_schemes_are_refused(gateway: Gateway, scheme: str) -> None:
    token = (await fresh(gateway))["access_token"]

    answer = await gateway.anonymous(
        "GET", "/v1/me", headers={"Authorization": f"{scheme} {token}"}
    )

    assert answer.status_code == 401


async def test_others_can_check_our_tokens_with_the_published_key(gateway: Gateway) -> None:
    token = (await fresh(gateway))["access_token"]
    published = (await gateway.anonymous("GET", "/.well-known/jwks.json")).json()

    (key,) = jwt.PyJWKSet.from_dict(published).keys

    assert key.key_id == jwt.get_unverified_header(token)["kid"]
    assert jwt.decode(token, key, ["EdDSA"], audience=tokens.AUDIENCE)["iss"] == tokens.ISSUER
    assert "d" not in published["keys"][0]


async def test_a_refresh_token_is_exchanged_for_a_new_pair(gateway: Gateway) -> None:
    first = await fresh(gateway)

    answer = await refresh(gateway, first["refresh_token"])

    assert answer.status_code == 200
    second = answer.json()
    assert second["refresh_token"] != first["refresh_token"]
    assert (await me(gateway, second["access_token"])).status_code == 200
    assert (await refresh(gateway, second["refresh_token"])).status_code == 200


async def test_a_token_used_again_after_its_successor_ends_the_whole_sign_in(
    gateway: Gateway,
) -> None:
    first = await fresh(gateway)
    other = (await sign_in(gateway, "alice", PASSWORD)).json()
    second = (await refresh(gateway, first["refresh_token"])).json()
    third = (await refresh(gateway, second["refresh_token"])).json()

    stolen = await refresh(gateway, first["refresh_token"])

    assert stolen.status_code == 401
    assert (await refresh(gateway, third["refresh_token"])).status_code == 401
    assert (await me(gateway, third["access_token"])).status_code == 401
    # Another sign-in of the same user has nothing to do with it.
    assert (await me(gateway, other["access_token"])).status_code == 200


async def test_a_lost_answer_can_be_asked_for_again_and_the_lost_pair_is_dead(
    gateway: Gateway,
) -> None:
    first = await fresh(gateway)
    lost = (await refresh(gateway, first["refresh_token"])).json()

    again = await refresh(gateway, first["refresh_token"])

    assert again.status_code == 200
    # Whoever has the lost one gets nothing, and gives away that two hold tokens.
    assert (await refresh(gateway, lost["refresh_token"])).status_code == 401
    assert (await refresh(gateway, again.json()["refresh_token"])).status_code == 401


async def test_a_lost_answer_cannot_be_asked_for_again_later(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await fresh(gateway)
    second = (await refresh(gateway, first["refresh_token"])).json()
    monkeypatch.setattr(CLOCK, lambda: now() + timedelta(seconds=11))

    assert (await refresh(gateway, first["refresh_token"])).status_code == 401
    assert (await refresh(gateway, second["refresh_token"])).status_code == 401


async def test_of_many_exchanges_at_once_one_token_at_most_stays_alive(gateway: Gateway) -> None:
    first = await fresh(gateway)

    answers = await asyncio.gather(*(refresh(gateway, first["refresh_token"]) for _ in range(5)))

    alive = [a.json()["refresh_token"] for a in answers if a.status_code == 200]
    assert alive
    used = [await refresh(gateway, token) for token in alive]
    assert sum(answer.status_code == 200 for answer in used) <= 1


async def test_a_sign_in_ends_however_often_it_is_refreshed(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await fresh(gateway)
    later = timedelta(seconds=gateway.settings.refresh_token_s + 1)
    monkeypatch.setattr(CLOCK, lambda: now() + later)

    assert (await refresh(gateway, first["refresh_token"])).status_code == 401


@pytest.mark.parametrize("token", ["", "nonsense", "x" * 300, "ü\0"])
async def test_refresh_tokens_that_are_none_are_refused(either: Gateway, token: str) -> None:
    assert (await refresh(either, token)).status_code in {401, 422}


@pytest.mark.parametrize("username", ["\0", "alice\0", "x" * 300, "-", "ä", " alice"])
async def test_what_cannot_be_a_username_is_an_unknown_one(either: Gateway, username: str) -> None:
    await either.signed_in("alice")

    answer = await sign_in(either, username, PASSWORD)

    assert answer.status_code == 401
    assert answer.json()["detail"] == "The username or the password is wrong."


async def test_an_access_token_does_not_refresh(gateway: Gateway) -> None:
    pair = await fresh(gateway)

    assert (await refresh(gateway, pair["access_token"])).status_code in {401, 422}


async def test_signing_out_ends_both_tokens_at_once(gateway: Gateway) -> None:
    for by_body in (True, False):
        pair = await fresh(gateway, f"user{by_body}".lower())
        client = Client(gateway.http, None if by_body else pair["access_token"])
        body = {"json": {"refresh_token": pair["refresh_token"]}} if by_body else {}

        answer = await client("POST", "/v1/auth/logout", **body)

        assert answer.status_code == 204, answer.text
        assert (await me(gateway, pair["access_token"])).status_code == 401
        assert (await refresh(gateway, pair["refresh_token"])).status_code == 401


async def test_signing_out_needs_a_token_and_tells_nothing_about_unknown_ones(
    gateway: Gateway,
) -> None:
    nothing = await gateway.anonymous("POST", "/v1/auth/logout")
    unknown = await gateway.anonymous(
        "POST", "/v1/auth/logout", json={"refresh_token": "never seen"}
    )

    assert (nothing.status_code, unknown.status_code) == (401, 204)


async def test_the_key_survives_a_restart_and_a_spoilt_one_is_named(start: Start) -> None:
    async with start() as gateway:
        pair = await fresh(gateway)
        path = gateway.settings.data_dir / "signing-key.pem"
    async with start() as again:
        assert (await me(again, pair["access_token"])).status_code == 200

    path.write_text("spoilt")
    with pytest.raises(keys.KeyFileError, match=str(path)):
        keys.load_or_make(path)
