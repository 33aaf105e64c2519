"""An ID token is believed only if all of it is right."""

import base64
import hmac
import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from joserfc import jws, jwt

from tests.gateway.identity_providers import (
    CLIENT_ID,
    Browser,
    Claims,
    ScriptedProvider,
    new_key,
    signed,
)


def by_hand(header: dict[str, Any], claims: Claims, secret: bytes | None = None) -> str:
    """Sign with a shared secret, or with nothing."""
    content = ".".join(packed(json.dumps(part).encode()) for part in (header, claims))
    mac = b"" if secret is None else hmac.digest(secret, content.encode(), "sha256")
    return f"{content}.{packed(mac)}"


def packed(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def by_our_secret(provider: ScriptedProvider, claims: Claims) -> str:
    """Sign as who takes the public key for a shared secret."""
    key = provider.keys[0]
    return by_hand({"alg": "HS256", "kid": key.kid}, claims, key.as_pem(private=False))


def wrong_claims(moment: int) -> list[Claims]:
    """List what may not stand in a token that is looked at now."""
    return [
        {"nonce": "another"},
        {"nonce": None},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "another client"},
        {"aud": []},
        {"aud": ["another client", CLIENT_ID]},
        {"aud": [CLIENT_ID], "azp": "another client"},
        {"exp": moment - 120},
        {"exp": None},
        {"exp": float("nan")},
        {"exp": "tomorrow"},
        {"nbf": moment + 600},
        {"iat": moment + 600},
        {"iat": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 256},
        {"sub": "of\0alice"},
        {"at_hash": "of another token"},
        {"sid": "no letter \ud800"},
    ]


async def test_an_id_token_with_a_wrong_claim_lets_nobody_in(
    either_visitor: Browser, provider: ScriptedProvider
) -> None:
    for claims in wrong_claims(int(time.time())):
        provider.claims = claims
        assert await either_visitor.kept_out(await provider.sign_in(either_visitor)), claims


async def test_clocks_may_differ_a_little_and_others_may_be_meant_too(
    either_visitor: Browser, provider: ScriptedProvider
) -> None:
    moment = int(time.time())
    right: list[Claims] = [
        {"exp": moment - 20, "iat": moment - 400},
        {"iat": moment + 30, "nbf": moment + 30},
        {"aud": ["another client", CLIENT_ID], "azp": CLIENT_ID},
    ]
    for claims in right:
        provider.claims = claims
        assert (await provider.sign_in(either_visitor)).status_code == 200, claims


# Made beforehand: a key can take longer than a gateway waits for a token.
FOREIGN = new_key()

# Deeper than a parser goes, and no longer than a token may be.
NESTED = b"[" * 5000 + b"]" * 5000


def headed(head: bytes) -> str:
    """A token with this head, signed by nobody."""
    return f"{packed(head)}.e30.{packed(b'signature')}"


Forge = Callable[[ScriptedProvider, Claims], str]
FORGED: dict[str, Forge] = {
    "no algorithm": lambda _, claims: by_hand({"alg": "none"}, claims),
    "no algorithm in other letters": lambda _, claims: by_hand({"alg": "nOnE"}, claims),
    "the public key as a secret": by_our_secret,
    "a key of somebody else": lambda _, claims: signed(claims, FOREIGN),
    "a key of somebody else under a name that is known": lambda provider, claims: jwt.encode(
        {"alg": "RS256", "kid": provider.keys[0].kid}, claims, FOREIGN
    ),
    "a key that comes along": lambda _, claims: jwt.encode(
        {"alg": "RS256", "jwk": FOREIGN.as_dict(private=False)}, claims, FOREIGN
    ),
    "no signature": lambda provider, claims: (
        signed(claims, provider.keys[0]).rpartition(".")[0] + "."
    ),
    "nonsense": lambda *_: "nonsense",
    "nonsense in three parts": lambda *_: "a.b.c",
    "no object": lambda provider, _: jwt.encode({"alg": "RS256"}, {}, provider.keys[0]).replace(
        ".e30.", ".W10."
    ),
    "lists in lists": lambda provider, _: jws.serialize_compact(
        {"alg": "RS256"}, NESTED, provider.keys[0]
    ),
    "a head that is a list": lambda *_: headed(b'["alg"]'),
    "a head that is a text": lambda *_: headed(b'"alg"'),
    "not even letters": lambda *_: "ü.\0.é",
}


async def test_an_id_token_that_the_provider_did_not_sign_lets_nobody_in(
    visitor: Browser, provider: ScriptedProvider
) -> None:
    for name, forge in FORGED.items():
        provider.sign = partial(forge, provider)
        assert await visitor.kept_out(await provider.sign_in(visitor)), name
