"""The provider as a relying party uses it: the authorization code flow with PKCE.

OpenID Connect Core 1.0 (3.1), RFC 6749, RFC 7636, RFC 9207 and the advice of RFC 9700. Metadata,
addresses and claims are checked by Authlib, signatures by joserfc.
"""

import hmac
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

import httpx
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jws
from joserfc.errors import JoseError

from services import telemetry
from services.gateway import errors
from services.gateway.provider.discovery import Discovery, Metadata
from services.gateway.provider.transaction import Transaction
from services.gateway.provider.voucher import (
    InvalidVoucherError,
    Leaving,
    Voucher,
    read_id_token,
    read_logout_token,
)
from services.gateway.provider.wire import asked

_FAILED = "This sign-in cannot be completed. Begin again at GET /v1/auth/oidc."
# Of RFC 6749 and OpenID Connect; what else somebody writes there is not repeated.
_REFUSAL = re.compile(r"[a-z_]{1,40}", re.ASCII)

_log = telemetry.logger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the browser brings back from the provider."""

    state: str | None
    code: str | None = None
    issuer: str | None = None
    error: str | None = None


class Provider:
    """Sends browsers to the provider, and learns from it who they are."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        discovery: Discovery,
        issuer: str,
        credentials: tuple[str, str | None],
        redirect_uri: str,
        scopes: str,
    ) -> None:
        """Build over a client.

        Args:
            http: for requests to the provider.
            discovery: knows its endpoints and keys.
            issuer: its address, exactly as it calls itself.
            credentials: our id there, and our secret; None for a public client.
            redirect_uri: where browsers come back to.
            scopes: what is asked for, separated by spaces.

        """
        self._http = http
        self._discovery = discovery
        self._issuer = issuer
        self._client_id, self._secret = credentials
        self._redirect_uri = redirect_uri
        self._scopes = scopes

    async def address(self, transaction: Transaction) -> str:
        """Return where a browser is sent to sign in.

        Raises:
            UnavailableError: the provider does not answer.

        """
        metadata = await self._discovery.metadata()
        return str(
            prepare_grant_uri(
                metadata.authorization_endpoint,
                self._client_id,
                "code",
                redirect_uri=self._redirect_uri,
                scope=self._scopes,
                state=transaction.state,
                nonce=transaction.nonce,
                code_challenge=create_s256_code_challenge(transaction.code_verifier),
                code_challenge_method="S256",
            )
        )

    async def vouch(self, transaction: Transaction | None, answer: Answer) -> Voucher:
        """Return who has come back.

        Args:
            transaction: that the browser carries; None if it carries none, or an old one.
            answer: of the provider.

        Raises:
            SignInFailedError: the answer is not to this transaction, or cannot be believed.
            ProviderRefusedError: the provider says no.
            UnavailableError: the provider does not answer.
            UpstreamError: the provider answers in a way that nobody expects.

        """
        if transaction is None:
            raise _failed("cookie")
        if not hmac.compare_digest(_bytes(answer.state), transaction.state.encode()):
            raise _failed("state")
        metadata = await self._discovery.metadata()
        if answer.issuer != self._issuer and (metadata.says_issuer or answer.issuer is not None):
            raise _failed("issuer")
        if answer.error is not None:
            named = _REFUSAL.fullmatch(answer.error)
            raise errors.ProviderRefusedError(
                f"The identity provider refused ({answer.error if named else 'unknown'})."
            )
        if not answer.code:
            raise _failed("code")
        tokens = await self._exchanged(metadata, answer.code, transaction.code_verifier)
        return await self._read(tokens, transaction.nonce)

    async def left(self, logout_token: str) -> Leaving:
        """Return who has left the provider.

        Raises:
            InvalidLogoutTokenError: it is no word of the provider.
            UnavailableError: the provider does not answer.
            UpstreamError: the provider answers in a way that nobody expects.

        """
        keys = await self._discovery.keys(_key_id(logout_token))
        try:
            return read_logout_token(logout_token, keys, self._issuer, self._client_id)
        except InvalidVoucherError as error:
            raise errors.InvalidLogoutTokenError(f"logout_token: {error}.") from error

    async def _exchanged(self, metadata: Metadata, code: str, verifier: str) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": verifier,
        }
        auth: httpx.BasicAuth | None = None
        if self._secret is None:
            form["client_id"] = self._client_id
        elif metadata.secret_in_body:
            form |= {"client_id": self._client_id, "client_secret": self._secret}
        else:
            # Encoded first, as RFC 6749 (2.3.1) has it.
            auth = httpx.BasicAuth(quote_plus(self._client_id), quote_plus(self._secret))
        status, told = await asked(
            self._http, "POST", metadata.token_endpoint, data=form, auth=auth
        )
        if status == httpx.codes.OK:
            return told
        if told.get("error") == "invalid_grant":
            raise _failed("code")
        raise errors.UpstreamError(f"the identity provider answers {status} to a code")

    async def _read(self, tokens: dict[str, Any], nonce: str) -> Voucher:
        token, access_token = tokens.get("id_token"), tokens.get("access_token")
        if not isinstance(token, str):
            raise errors.UpstreamError("the identity provider gave no ID token")
        keys = await self._discovery.keys(_key_id(token))
        access_token = access_token if isinstance(access_token, str) else None
        try:
            return read_id_token(token, keys, self._issuer, self._client_id, nonce, access_token)
        except InvalidVoucherError as error:
            raise _failed(f"ID token: {error}") from error


def _failed(reason: str) -> errors.SignInFailedError:
    _log.warning("sign-in at the identity provider failed", reason=reason)
    return errors.SignInFailedError(_FAILED)


def _bytes(text: str | None) -> bytes:
    return (text or "").encode("utf-8", "surrogatepass")


def _key_id(token: str) -> object:
    """Return what a token says its key is; nothing is believed of it."""
    try:
        head: object = jws.extract_compact(token.encode()).headers()
    except (JoseError, ValueError):
        return None
    # A list that holds the word `alg` is taken for a head, too.
    return head.get("kid") if isinstance(head, dict) else None
