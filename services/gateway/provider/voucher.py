"""What the provider says of somebody: an ID token or a logout token, once all of it was checked."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

_LONGEST = 255
_LEEWAY_S = 60
# Asymmetric ones alone: with others, the provider's public key or no key at all would sign.
_ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "Ed25519", "EdDSA"),
)
_LOGOUT = "http://schemas.openid.net/event/backchannel-logout"
_REGISTRY = JWSRegistry(algorithms=list(_ALGORITHMS), strict_check_header=False)


class InvalidVoucherError(Exception):
    """A token is no good; why is for the log, and repeats nothing of the token."""


@dataclass(frozen=True, slots=True)
class Voucher:
    """Who somebody is at the provider.

    Attributes:
        issuer: the provider.
        subject: them, for good; nobody else of this issuer ever gets the same.
        session: their session there; None where the provider does not say.
        claims: all that it says of them.

    """

    issuer: str
    subject: str
    session: str | None
    claims: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Leaving:
    """Somebody, a session of theirs, or both, that ended at the provider."""

    issuer: str
    subject: str | None
    session: str | None


def read_id_token(
    token: str, keys: KeySet, issuer: str, client_id: str, nonce: str, access_token: str | None
) -> Voucher:
    """Return what an ID token says (OpenID Connect Core 1.0, 3.1.3.7).

    Args:
        token: as it came.
        keys: of the provider.
        issuer: that it must be from.
        client_id: that it must be for.
        nonce: that it must hold.
        access_token: that came with it; its hash must be the token's, if it has one.

    Raises:
        InvalidVoucherError: anything about it is wrong.

    """
    params = {"nonce": nonce, "client_id": client_id, "access_token": access_token}
    with _told_apart():
        read = jwt.decode(token, keys, registry=_REGISTRY)
        options = {**_options(issuer, client_id), "sub": {"essential": True}}
        CodeIDToken(read.claims, read.header, options, params).validate(leeway=_LEEWAY_S)
    claims = read.claims
    subject, session = claims["sub"], claims.get("sid")
    if not _is_name(subject) or len(subject) > _LONGEST:
        raise InvalidVoucherError("subject")
    if not isinstance(session, str) or not session:
        session = None
    elif not _is_name(session):
        raise InvalidVoucherError("session")
    return Voucher(issuer, subject, session, claims)


def read_logout_token(token: str, keys: KeySet, issuer: str, client_id: str) -> Leaving:
    """Return what a logout token says (OpenID Connect Back-Channel Logout 1.0, 2.6).

    Raises:
        InvalidVoucherError: anything about it is wrong.

    """
    required: dict[str, Any] = {key: {"essential": True} for key in ("iat", "exp", "jti")}
    with _told_apart():
        read = jwt.decode(token, keys, registry=_REGISTRY)
        options = {**_options(issuer, client_id), **required}
        jwt.JWTClaimsRegistry(leeway=_LEEWAY_S, **options).validate(read.claims)
    claims = read.claims
    events, subject, session = claims.get("events"), claims.get("sub"), claims.get("sid")
    named = [name for name in (subject, session) if name is not None]
    # An ID token is none: it has a nonce, and no events.
    if not isinstance(events, dict) or _LOGOUT not in events or "nonce" in claims:
        raise InvalidVoucherError("events")
    if not named or not all(map(_is_name, named)):
        raise InvalidVoucherError("subject")
    return Leaving(issuer, subject, session)


def _is_name(told: object) -> bool:
    """Say whether something names somebody or something: JSON has texts that no database takes."""
    return isinstance(told, str) and told != "" and told.isprintable()


def _options(issuer: str, client_id: str) -> dict[str, Any]:
    return {
        "iss": {"essential": True, "value": issuer},
        "aud": {"essential": True, "value": client_id},
    }


@contextlib.contextmanager
def _told_apart() -> Iterator[None]:
    """Tell a wrong token from a fault of ours."""
    try:
        yield
    except JoseError as error:
        # Its message may repeat what a claim holds; its kind and the claim's name do not.
        name = getattr(error, "claim", "")
        raise InvalidVoucherError(f"{error.error} {name}".rstrip()) from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise InvalidVoucherError("malformed") from None
