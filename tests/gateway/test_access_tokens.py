"""Access tokens: which are believed, by us and by others."""

import base64
import json
import time
from datetime import datetime, tzinfo
from typing import Any, Self

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt import api_jwt
from jwt.algorithms import OKPAlgorithm

from services.gateway.security import keys, tokens
from services.gateway.security.keys import SigningKey
from tests.gateway.conftest import Gateway, Start
from tests.gateway.receivers import receiving
from tests.gateway.test_auth import fresh, me


def claims(**changes: Any) -> dict[str, Any]:
    """What a token of ours says, but for the changes; None for what it does not say."""
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
    return {k: v for k, v in (payload | changes).items() if v is not None}


def forged(ours: SigningKey, **changes: Any) -> str:
    """A token like ours but for the changes, signed with our key."""
    header = changes.pop("header", {"typ": "at+jwt"})
    key = changes.pop("key", ours.private)
    algorithm = changes.pop("algorithm", "EdDSA")
    return jwt.encode(claims(**changes), key, algorithm, header)


def unsigned(payload: dict[str, Any], algorithm: str = "none") -> str:
    head = json.dumps({"alg": algorithm, "typ": "at+jwt"})
    return f"{written(head)}.{written(json.dumps(payload))}."


def written(text: str) -> str:
    """Part of a token, as it is written there."""
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


STRANGER = Ed25519PrivateKey.generate()
ALONG = {"jwk": OKPAlgorithm.to_jwk(STRANGER.public_key(), as_dict=True)}


def with_a_key(real: dict[str, str], header: dict[str, Any]) -> str:
    """A token of a stranger, which says itself what it is to be checked with."""
    return jwt.encode(claims(**real), STRANGER, "EdDSA", {"typ": "at+jwt"} | header)


async def bad_tokens(gateway: Gateway) -> dict[str, str | None]:
    """Everything that somebody might try, about a user and a sign-in that exist."""
    pair = await fresh(gateway)
    good = jwt.decode(pair["access_token"], options={"verify_signature": False})
    real = {"sub": good["sub"], "sid": good["sid"]}
    ours = await gateway.parts.keys.newest()
    public = ours.public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    ago = int(time.time()) - 1000
    head, body, signature = pair["access_token"].split(".")
    return {
        "missing": None,
        "empty": "",
        "noise": "not.a.token",
        "expired": forged(ours, **real, iat=ago, nbf=ago, exp=ago + 900),
        "not yet valid": forged(ours, **real, nbf=int(time.time()) + 600),
        "another key": forged(ours, **real, key=STRANGER),
        "alg none": unsigned(good),
        "alg none, oddly written": unsigned(good, "nOnE"),
        "HS256 with our public key": forged(ours, **real, key=public, algorithm="HS256"),
        "another audience": forged(ours, **real, aud="somebody-else"),
        "another issuer": forged(ours, **real, iss="somebody-else"),
        "another kind": forged(ours, **real, header={"typ": "JWT"}),
        **{f"without {claim}": forged(ours, **(real | {claim: None})) for claim in good},
        "an unknown kid": forged(ours, **real, header={"typ": "at+jwt", "kid": "unknown"}),
        "a key that comes along": with_a_key(real, ALONG),
        "a key that comes along under the name of ours": with_a_key(real, ALONG | {"kid": ours.id}),
        "a sign-in that is not": forged(ours, sub=good["sub"]),
        "somebody else's sign-in": forged(ours, sid=good["sid"]),
        "the refresh token": pair["refresh_token"],
        "changed signature": f"{head}.{body}.{signature[:-8]}AAAAAAAA",
        "no signature": f"{head}.{body}.",
        "a head with more": f"{head}!.{body}.{signature}",
        "a head that is no JSON": f"{written('{')}.{body}.{signature}",
        "a head as deep as the sea": f"{written('[' * 5000)}.{body}.{signature}",
        "a head that is a list": f"{written('[]')}.{body}.{signature}",
        "a key that is a number": f"{written(json.dumps({'kid': 1}))}.{body}.{signature}",
    }


async def test_tokens_that_are_wrong_in_any_way_are_refused(either: Gateway) -> None:
    for why, token in (await bad_tokens(either)).items():
        answer = await me(either, token)

        assert answer.status_code == 401, why
        assert answer.headers["Content-Type"] == "application/problem+json", why
        assert answer.headers["WWW-Authenticate"] == "Bearer", why
        assert answer.json()["detail"].startswith("The access token is missing, expired"), why


async def test_nobody_goes_where_a_token_says_that_its_key_is(either: Gateway) -> None:
    good = jwt.decode((await fresh(either))["access_token"], options={"verify_signature": False})
    real = {"sub": good["sub"], "sid": good["sid"]}
    async with receiving() as elsewhere:
        there = [{where: elsewhere.url} for where in ("jku", "x5u")]
        for header in (*there, *({"kid": "there"} | each for each in there)):
            answer = await me(either, with_a_key(real, header))

            assert answer.status_code == 401, header

        assert elsewhere.conversations == []


async def test_a_token_that_was_good_is_refused_once_it_has_expired(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = (await fresh(gateway))["access_token"]
    assert (await me(gateway, token)).status_code == 200

    later = time.time() + gateway.settings.access_token_s + 10
    monkeypatch.setattr(time, "time", lambda: later)

    assert (await me(gateway, token)).status_code == 401


async def test_clocks_that_differ_by_five_seconds_do_not_refuse_a_token(
    either: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = jwt.decode((await fresh(either))["access_token"], options={"verify_signature": False})
    ours, made = await either.parts.keys.newest(), int(time.time())
    token = forged(ours, sub=good["sub"], sid=good["sid"], iat=made, nbf=made, exp=made + 900)

    statuses = []
    for moment in (made - 5.01, made - 4.99, made + 904.99, made + 905.01):
        stop_clocks(monkeypatch, moment)
        statuses.append((await me(either, token)).status_code)

    assert statuses == [401, 200, 200, 401]


def stop_clocks(monkeypatch: pytest.MonkeyPatch, moment: float) -> None:
    """Stop the clock of the gateway and that of the library that reads tokens."""

    class Stopped(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return cls.fromtimestamp(moment, tz)

    monkeypatch.setattr(time, "time", lambda: moment)
    monkeypatch.setattr(api_jwt, "datetime", Stopped)


async def test_a_token_made_the_same_way_with_nothing_wrong_is_good(gateway: Gateway) -> None:
    """What makes the refusals above mean something."""
    good = jwt.decode((await fresh(gateway))["access_token"], options={"verify_signature": False})

    ours = await gateway.parts.keys.newest()
    answer = await me(gateway, forged(ours, sub=good["sub"], sid=good["sid"]))

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


async def test_the_key_survives_a_restart_and_a_spoilt_one_is_named(start: Start) -> None:
    async with start() as gateway:
        pair = await fresh(gateway)
        path = gateway.settings.data_dir / "signing-key.pem"
    async with start() as again:
        assert (await me(again, pair["access_token"])).status_code == 200

    path.write_text("spoilt")
    with pytest.raises(keys.KeyFileError, match=str(path)):
        keys.load_or_make(path)
