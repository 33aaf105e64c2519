"""Access tokens (JWT, RFC 8725 and RFC 9068) and refresh tokens (opaque).

An access token is good for minutes and is signed with Ed25519. The algorithm, the issuer, the
audience and the kind are pinned here; what a token's header says about keys is never followed.
A refresh token is random and means nothing; only its digest is ever kept.
"""

import base64
import functools
import hashlib
import json
import re
import secrets
import time
import uuid
from dataclasses import dataclass

import jwt

from services.gateway.security.key_ring import KeyRing
from services.gateway.security.keys import PublicKey

ISSUER = "dermserve"
AUDIENCE = "dermserve-gateway"
_KIND = "at+jwt"
_ALGORITHM = "EdDSA"
_REQUIRED = ["iss", "aud", "sub", "sid", "iat", "nbf", "exp", "jti"]
# Replicas' clocks differ a little, and a token is used the moment it is made.
_LEEWAY_S = 5
_REMEMBERED = 1024
_FORM = re.compile(r"[A-Za-z0-9_-]{43}")
"""256 bits as they are written."""


class InvalidTokenError(Exception):
    """The token is no good; why is for the log, not for the caller."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What an access token says: who, and in which session."""

    user_id: str
    session_id: str


class ExpiredTokenError(InvalidTokenError):
    """The token was good once; ``claims`` is what it says."""

    def __init__(self, claims: Claims) -> None:
        """Say so of a token."""
        super().__init__("expired")
        self.claims = claims


class AccessTokens:
    """Signs and reads access tokens."""

    def __init__(self, keys: KeyRing, lifetime_s: int) -> None:
        """Build over keys.

        Args:
            keys: its newest signs, and no others than its are believed.
            lifetime_s: seconds from issue to expiry.

        """
        self.lifetime_s = lifetime_s
        self._keys = keys
        # A caller sends the same token with every request, and its signature stays good.
        self._verified = functools.lru_cache(_REMEMBERED)(self._verify)

    async def issue(self, claims: Claims, now: float | None = None) -> str:
        """Return a signed token."""
        issued = int(time.time() if now is None else now)
        payload = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": claims.user_id,
            "sid": claims.session_id,
            "iat": issued,
            "nbf": issued,
            "exp": issued + self.lifetime_s,
            "jti": uuid.uuid4().hex,
        }
        key = await self._keys.newest()
        return jwt.encode(payload, key.private, _ALGORITHM, {"typ": _KIND, "kid": key.id})

    async def read(self, token: str) -> Claims:
        """Return what a token says, once everything about it has been checked.

        Raises:
            ExpiredTokenError: nothing but its time is wrong.
            InvalidTokenError: anything else about it is.

        """
        key = await self._keys.find(_key_name(token))
        if key is None:
            raise InvalidTokenError("signed with a key that is not believed")
        claims, expires = self._verified(token, key)
        if expires <= time.time() - _LEEWAY_S:
            raise ExpiredTokenError(claims)
        return claims

    def _verify(self, token: str, key: PublicKey) -> tuple[Claims, int]:
        """Return what a token that is signed with a key says, and when it expires."""
        try:
            read = jwt.decode_complete(
                token,
                key.public,
                algorithms=[_ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                leeway=_LEEWAY_S,
                # Its end is seen to by who asks, as it comes after it was verified.
                options={"require": _REQUIRED, "verify_exp": False},
            )
        except jwt.InvalidTokenError as error:
            raise InvalidTokenError(str(error)) from error
        payload = read["payload"]
        said, expires = Claims(payload["sub"], payload["sid"]), payload["exp"]
        formed = isinstance(said.session_id, str) and isinstance(expires, int)
        if read["header"].get("typ") != _KIND or not formed:
            raise InvalidTokenError("not an access token")
        return said, expires


def _key_name(token: str) -> str | None:
    """Return the key that a token names in its head; whether all of it is in order, ``jwt`` says.

    Which reads the whole of it, letter by letter: once for a token, and not at each request.
    """
    head = token.partition(".")[0]
    try:
        said = json.loads(base64.urlsafe_b64decode(f"{head}=="))
    except (ValueError, RecursionError) as error:
        raise InvalidTokenError("no header that can be read") from error
    name = said.get("kid") if isinstance(said, dict) else None
    if not isinstance(name, str | None):
        raise InvalidTokenError("a key without a name")
    return name


def new_refresh_token() -> str:
    """Return a random token of 256 bits."""
    return secrets.token_urlsafe(32)


def is_formed(text: str) -> bool:
    """Say whether a text could be such a token."""
    return _FORM.fullmatch(text) is not None


def session_digest(secret: str) -> str:
    """Return what is kept of a browser's session: no token has the same, nor it that of a token."""
    return digest(f"session\n{secret}")


def digest(token: str) -> str:
    """Return what is kept of a refresh token or key: it is random, so that a fast hash suffices."""
    return hashlib.sha256(token.encode()).hexdigest()
