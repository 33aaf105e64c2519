"""Access tokens (JWT, RFC 8725 and RFC 9068) and refresh tokens (opaque).

An access token is good for minutes and is signed with Ed25519. The algorithm, the issuer, the
audience and the kind are pinned here; what a token's header says about keys is never followed.
A refresh token is random and means nothing; only its digest is ever kept.
"""

import functools
import hashlib
import secrets
import time
import uuid
from dataclasses import dataclass

import jwt

from services.gateway.security.key_ring import KeyRing

ISSUER = "dermserve"
AUDIENCE = "dermserve-gateway"
_KIND = "at+jwt"
_ALGORITHM = "EdDSA"
_REQUIRED = ["iss", "aud", "sub", "sid", "iat", "nbf", "exp", "jti"]
# Replicas' clocks differ a little, and a token is used the moment it is made.
_LEEWAY_S = 5
_REMEMBERED = 1024


class InvalidTokenError(Exception):
    """The token is no good; why is for the log, not for the caller."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What an access token says: who, and in which session."""

    user_id: str
    session_id: str


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

    def issue(self, claims: Claims, now: float | None = None) -> str:
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
        key = self._keys.newest()
        return jwt.encode(payload, key.private, _ALGORITHM, {"typ": _KIND, "kid": key.id})

    def read(self, token: str) -> Claims:
        """Return what a token says, once everything about it has been checked.

        Raises:
            InvalidTokenError: anything about it is wrong.

        """
        claims, expires, key = self._verified(token)
        if expires <= time.time() - _LEEWAY_S or self._keys.find(key) is None:
            raise InvalidTokenError("expired, or its key is believed no more")
        return claims

    def _verify(self, token: str) -> tuple[Claims, int, str]:
        """Return what a token says, when it expires, and the name of its key."""
        try:
            key = self._keys.find(jwt.get_unverified_header(token).get("kid"))
            if key is None:
                raise InvalidTokenError("signed with a key that is not believed")
            read = jwt.decode_complete(
                token,
                key.public,
                algorithms=[_ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                leeway=_LEEWAY_S,
                options={"require": _REQUIRED},
            )
        except jwt.InvalidTokenError as error:
            raise InvalidTokenError(str(error)) from error
        payload = read["payload"]
        if read["header"].get("typ") != _KIND or not isinstance(payload["sid"], str):
            raise InvalidTokenError("not an access token")
        return Claims(payload["sub"], payload["sid"]), int(payload["exp"]), key.id


def new_refresh_token() -> str:
    """Return a random token of 256 bits."""
    return secrets.token_urlsafe(32)


def digest(refresh_token: str) -> str:
    """Return what is kept of a refresh token. It is random, so that a fast hash suffices."""
    return hashlib.sha256(refresh_token.encode()).hexdigest()
