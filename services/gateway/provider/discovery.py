"""What the provider tells about itself: where its endpoints are, and its keys."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import httpx
from authlib.oidc.discovery import OpenIDProviderMetadata
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key, KeySet

from services.gateway import errors
from services.gateway.provider.wire import asked

_REMEMBERED_S = 3600.0
# An unknown key may be a new one; who makes keys up must not make us ask every time.
_KEYS_AGAIN_S = 30.0

_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class Metadata:
    """Where the provider is asked what (OpenID Connect Discovery 1.0).

    Attributes:
        authorization_endpoint: where browsers go.
        token_endpoint: where a code is exchanged.
        jwks_uri: where its keys are.
        says_issuer: whether each of its answers says who it is from (RFC 9207).
        secret_in_body: whether it wants the client's secret in the body of a request.

    """

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    says_issuer: bool
    secret_in_body: bool


class _Remembered(Generic[_Found]):
    """Something that is asked for once for all who want it at the same time, and kept a while."""

    def __init__(self, ask: Callable[[], Awaitable[_Found]]) -> None:
        self._ask = ask
        self._asking: asyncio.Task[_Found] | None = None
        self._found: _Found | None = None
        self._at = -_REMEMBERED_S

    async def get(self, newest_s: float = _REMEMBERED_S) -> _Found:
        """Return it, no older than some seconds."""
        if self._found is not None and time.monotonic() - self._at < newest_s:
            return self._found
        if self._asking is None:
            self._asking = asyncio.create_task(self._fetch())
            # All may have left by the time it fails.
            self._asking.add_done_callback(lambda done: done.cancelled() or done.exception())
        # Who leaves takes nothing away from the others who wait.
        return await asyncio.shield(self._asking)

    async def _fetch(self) -> _Found:
        try:
            self._found = await self._ask()
            self._at = time.monotonic()
        finally:
            self._asking = None
        return self._found


class Discovery:
    """Asks the provider about itself, rarely."""

    def __init__(self, http: httpx.AsyncClient, issuer: str) -> None:
        """Build over a client.

        Args:
            http: for requests to the provider.
            issuer: its address, exactly as it calls itself.

        """
        self._http = http
        self._issuer = issuer
        self._metadata = _Remembered(self._ask_metadata)
        self._keys = _Remembered(self._ask_keys)

    async def metadata(self) -> Metadata:
        """Return where it is asked what.

        Raises:
            UnavailableError: it does not answer.
            UpstreamError: it answers in a way that nobody expects.

        """
        return await self._metadata.get()

    async def keys(self, key_id: object) -> KeySet:
        """Return its keys, asked for again if there is none of this id among those known."""
        known = await self._keys.get()
        if key_id is None or any(key.kid == key_id for key in known):
            return known
        return await self._keys.get(_KEYS_AGAIN_S)

    async def _ask_metadata(self) -> Metadata:
        address = self._issuer.rstrip("/") + "/.well-known/openid-configuration"
        told = OpenIDProviderMetadata(await self._told(address))
        try:
            told.validate_issuer()
            told.validate_authorization_endpoint()
            told.validate_token_endpoint()
            told.validate_jwks_uri()
            found = _metadata(told)
        except (ValueError, TypeError, AttributeError, httpx.InvalidURL) as error:
            raise errors.UpstreamError(f"the identity provider's metadata: {error}") from error
        if told["issuer"] != self._issuer:
            raise errors.UpstreamError("the identity provider calls itself by another name")
        return found

    async def _ask_keys(self) -> KeySet:
        listed = (await self._told((await self.metadata()).jwks_uri)).get("keys")
        keys = [key for each in listed if (key := _key(each))] if isinstance(listed, list) else []
        if not keys:
            raise errors.UpstreamError("the identity provider has no keys that can be used")
        return KeySet(keys)

    async def _told(self, address: str) -> dict[str, Any]:
        status, told = await asked(self._http, "GET", address)
        if status != httpx.codes.OK:
            raise errors.UpstreamError(f"the identity provider answers {status} about itself")
        return told


def _key(told: Any) -> Key | None:
    """Return a public key that signs, None for any other: kinds that we do not know, too."""
    if not isinstance(told, dict) or told.get("kty") == "oct" or told.get("use") == "enc":
        return None
    try:
        return JWKRegistry.import_key(told)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _metadata(told: Mapping[str, Any]) -> Metadata:
    ways = told.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    return Metadata(
        _address(told["authorization_endpoint"]),
        _address(told["token_endpoint"]),
        _address(told["jwks_uri"]),
        says_issuer=told.get("authorization_response_iss_parameter_supported") is True,
        secret_in_body="client_secret_basic" not in ways and "client_secret_post" in ways,
    )


def _address(told: str) -> str:
    """Return an address that something can be sent to; raise ``ValueError`` or ``InvalidURL``."""
    if not httpx.URL(told).host:
        raise ValueError("an address is without a host")
    return told
