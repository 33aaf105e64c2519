"""Who leaves the identity provider leaves here, if it is the provider who says so."""

import time
from typing import Any

from joserfc import jws

from tests.gateway.conftest import Start
from tests.gateway.identity_providers import (
    CLIENT_ID,
    ScriptedProvider,
    browser,
    new_key,
    settings,
    signed,
)
from tests.gateway.test_id_tokens import NESTED, headed
from tests.gateway.test_vouched_sign_ins import came

LOGOUT: dict[str, dict[str, str]] = {"http://schemas.openid.net/event/backchannel-logout": {}}


def logout(provider: ScriptedProvider, **claims: Any) -> dict[str, str]:
    moment = int(time.time())
    told = {"iss": provider.issuer, "aud": CLIENT_ID, "iat": moment, "exp": moment + 120}
    told |= {"jti": "1", "events": LOGOUT, **claims}
    told = {name: value for name, value in told.items() if value is not None}
    return {"logout_token": signed(told, provider.keys[0])}


async def test_who_leaves_the_provider_leaves_here(
    start: Start, database_url: str, provider: ScriptedProvider
) -> None:
    changes = settings(provider.issuer, database_url=database_url)
    async with start(**changes) as gateway, browser(gateway.app) as visitor:
        here = await came(visitor, provider, sid="1")
        there = await came(visitor, provider, sid="2")
        bob = await came(visitor, provider, sid="3", sub="of bob")
        address = "/v1/auth/oidc/logout"
        by_session = await gateway.anonymous("POST", address, data=logout(provider, sid="1"))
        after_one = [(await client("GET", "/v1/me")).status_code for client in (here, there, bob)]
        everywhere = logout(provider, sub="of alice")
        by_subject = await gateway.anonymous("POST", address, data=everywhere)
        after_all = [(await client("GET", "/v1/me")).status_code for client in (here, there, bob)]

    assert (by_session.status_code, by_subject.status_code) == (200, 200)
    assert after_one == [401, 200, 200]
    assert after_all == [401, 401, 200]


async def test_nobody_else_says_that_somebody_left(
    start: Start, database_url: str, provider: ScriptedProvider
) -> None:
    async with (
        start(database_url=database_url, **settings(provider.issuer)) as gateway,
        browser(gateway.app) as visitor,
    ):
        alice = await came(visitor, provider, sid="1")
        wrong: list[dict[str, str]] = [
            logout(provider, **claims)
            for claims in (
                {},
                {"sub": "of alice", "iss": "https://evil.example"},
                {"sub": "of alice", "aud": "another client"},
                {"sub": "of alice", "exp": int(time.time()) - 120},
                {"sub": "of alice", "exp": None},
                {"sub": "of alice", "jti": None},
                {"sub": "of alice", "events": None},
                {"sub": "of alice", "events": {"else": {}}},
                {"sub": "of alice", "nonce": "as an ID token has"},
                {"sub": ["of alice"]},
                {"sub": "no letter \ud800"},
                {"sub": "of\0alice"},
                {"sid": "no letter \ud800"},
                {"sid": ""},
            )
        ]
        moment = int(time.time())
        told = {"iss": provider.issuer, "aud": CLIENT_ID, "iat": moment, "exp": moment + 120}
        forged = told | {"jti": "1", "events": LOGOUT, "sub": "of alice"}
        nested = jws.serialize_compact({"alg": "RS256"}, NESTED, provider.keys[0])
        heads = (headed(b'["alg"]'), headed(b'"alg"'))
        others = (signed(forged, new_key()), "nonsense", nested, *heads)
        wrong += [{"logout_token": token} for token in others]
        for body in wrong:
            answer = await gateway.anonymous("POST", "/v1/auth/oidc/logout", data=body)
            assert answer.status_code == 400, body
            assert answer.json()["type"] == "/docs/problems#invalid-logout-token"

        assert (await alice("GET", "/v1/me")).status_code == 200
