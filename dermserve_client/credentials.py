"""How a request says who is asking."""

import threading
import time
from collections.abc import Callable, Generator

import httpx

from dermserve_client.errors import ProblemError
from dermserve_client.shapes import Tokens

_Flow = Generator[httpx.Request, httpx.Response, None]

_Asking = Generator[httpx.Request, httpx.Response, httpx.Response]

_CODE_NEEDED = "second-factor-needed"

_EARLY_S = 30
"""Tokens are exchanged this much before they expire, so that none expires on its way."""


class Bearer(httpx.Auth):
    """An API key, or an access token that somebody else keeps fresh."""

    def __init__(self, token: str) -> None:
        """Begin with what is sent."""
        self._token = token

    def auth_flow(self, request: httpx.Request) -> _Flow:
        """Send it along."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


class Password(httpx.Auth):
    """A username with its password: signs in when first needed, and stays signed in."""

    def __init__(self, username: str, password: str, code: Callable[[], str] | None = None) -> None:
        """Begin signed out.

        Args:
            username: of the account.
            password: of the account.
            code: is asked, where the account has a second factor, for a code of the app or for
                recovery, once for each try to sign in; as in ``lambda: input("Code: ")``.

        """
        self._form = {"username": username, "password": password}
        self._code = code
        self._tokens: Tokens | None = None
        self._fresh_until = 0.0
        self._renewing = threading.Lock()

    def auth_flow(self, request: httpx.Request) -> _Flow:
        """Send a token that is good; where it is not believed, a new one.

        Raises:
            ProblemError: the account is not let in.

        """
        with self._renewing:
            if time.monotonic() > self._fresh_until:
                yield from self._renew(request.url)
            sent = self._authorize(request)
        response = yield request
        if response.status_code != httpx.codes.UNAUTHORIZED:
            return
        with self._renewing:
            if self._tokens is not None and self._tokens.access_token == sent:
                yield from self._renew(request.url)
            self._authorize(request)
        yield request

    def _authorize(self, request: httpx.Request) -> str:
        token = self._tokens.access_token if self._tokens else ""
        request.headers["Authorization"] = f"Bearer {token}"
        return token

    def _renew(self, beside: httpx.URL) -> _Flow:
        """Exchange the refresh token for new ones; without a good one, sign in.

        Nobody is asked for a code because the gateway cannot say now whether the token is good.
        """
        if self._tokens is not None:
            body = {"refresh_token": self._tokens.refresh_token}
            answer = yield httpx.Request("POST", _at(beside, "refresh"), json=body)
            answer.read()
            if answer.is_success:
                self._keep(answer)
                return
            if self._code is not None and _is_undecided(answer):
                raise ProblemError(answer)
        answer = yield from self._sign_in(beside, self._form)
        if not answer.is_success and self._code is not None:
            refused = ProblemError(answer)
            if refused.type != _CODE_NEEDED:
                raise refused
            answer = yield from self._sign_in(beside, self._form | {"code": self._code()})
        if not answer.is_success:
            raise ProblemError(answer)
        self._keep(answer)

    def _sign_in(self, beside: httpx.URL, form: dict[str, str]) -> _Asking:
        answer = yield httpx.Request("POST", _at(beside, "token"), data=form)
        answer.read()
        return answer

    def _keep(self, answer: httpx.Response) -> None:
        self._tokens = Tokens.model_validate_json(answer.content)
        self._fresh_until = time.monotonic() + self._tokens.expires_in - _EARLY_S


def _is_undecided(answer: httpx.Response) -> bool:
    return answer.is_server_error or answer.status_code == httpx.codes.TOO_MANY_REQUESTS


def _at(beside: httpx.URL, name: str) -> httpx.URL:
    """Return where tokens are had from the gateway that a request goes to."""
    before = beside.path.partition("/v1/")[0]
    return beside.copy_with(path=f"{before}/v1/auth/{name}", query=None)
