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

from services.gateway.security.keys import SigningKey

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

    def __init__(self, key: SigningKey, lifetime_s: int) -> None:
        """Build for one key.

        Args:
            key: signs, and is the only one whose signatures are believed.
            lifetime_s: seconds from issue to expiry.

        """
        self.lifetime_s = lifetime_s
        self._key = key
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
        return jwt.encode(
            payload, self._key.private, _ALGORITHM, {"typ": _KIND, "kid": self._key.id}
        )

    def read(self, token: str) -> Claims:
        """Return what a token says, once everything about it has been checked.

        Raises:
            InvalidTokenError: anything about it is wrong.

        """
        claims, expires = self._verified(token)
        if expires <= time.time() - _LEEWAY_S:
            raise InvalidTokenError("expired")
        return claims

    def _verify(self, token: str) -> tuple[Claims, int]:
        """Return what a token says and when it expires; it has not yet."""
        try:
            read = jwt.decode_complete(
                token,
                self._key.public,
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
        return Claims(payload["sub"], payload["sid"]), int(payload["exp"])


def new_refresh_token() -> str:
    """Return a random token of 256 bits."""
    return secrets.token_urlsafe(32)


def digest(refresh_token: str) -> str:
    """Return what is kept of a refresh token. It is random, so that a fast hash suffices."""
    return hashlib.sha256(refresh_token.encode()).hexdigest()
