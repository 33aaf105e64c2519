"""Requests out, answers in: what all resources share."""

import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel

from dermserve_client.errors import ProblemError, UnreachableError

_Shape = TypeVar("_Shape", bound=BaseModel)

_KEY = "Idempotency-Key"
_LATER = frozenset({429, 503})
_IN_PROGRESS = "in-progress"
_FIRST_WAIT_S = 0.2


class Wire:
    """Sends requests, again where that makes nothing twice."""

    def __init__(self, http: httpx.Client, tries: int, longest_wait_s: float) -> None:
        """Build over a client of HTTP.

        Args:
            http: with the address and who is asking.
            tries: how often a request is sent at most.
            longest_wait_s: between two tries; who is told to wait longer gives up.

        """
        self._http = http
        self._tries = tries
        self._longest_wait_s = longest_wait_s

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request and return its answer, which is a success.

        A request that makes something carries an Idempotency-Key: however often it is sent, it is
        carried out once.

        Raises:
            ProblemError: it was refused.
            UnreachableError: no answer came.

        """
        repeatable = method == "GET" or _KEY in options.get("headers", {})
        return self._sent(method, path, options, repeatable=repeatable)

    def _sent(
        self, method: str, path: str, options: Mapping[str, Any], *, repeatable: bool
    ) -> httpx.Response:
        for tried in range(1, self._tries + 1):
            fault = self._tried(method, path, options)
            if isinstance(fault, httpx.Response):
                return fault
            wait_s = _wait_s(fault, tried) if repeatable or _undone(fault) else None
            if wait_s is None or wait_s > self._longest_wait_s or tried == self._tries:
                raise fault
            time.sleep(wait_s)
        raise AssertionError("there is at least one try")

    @contextmanager
    def stream(self, path: str, **options: Any) -> Iterator[Iterator[str]]:
        """Open an answer that goes on, and give its lines as they come.

        Raises:
            ProblemError: it was refused.
            UnreachableError: no answer came, or it broke off.

        """
        try:
            with self._http.stream("GET", path, **options) as response:
                if not response.is_success:
                    response.read()
                    raise ProblemError(response)
                yield response.iter_lines()
        except httpx.TransportError as error:
            raise self._unreachable(error) from error

    def make(self, path: str, **options: Any) -> httpx.Response:
        """Send a POST that makes something."""
        headers = {_KEY: secrets.token_hex(16), **options.pop("headers", {})}
        return self.send("POST", path, headers=headers, **options)

    def listed(
        self,
        shape: type[_Shape],
        path: str,
        filters: Mapping[str, Any] | None = None,
        search: Mapping[str, Any] | None = None,
    ) -> Iterator[_Shape]:
        """Yield all items of a list, page by page as they are asked for.

        What is said in a ``search`` goes in a body, and in no address; such a POST makes nothing.
        """
        method, body = ("GET", {}) if search is None else ("POST", {"json": search})
        cursor: str | None = None
        while True:
            asked = {**(filters or {}), "cursor": cursor}
            params = {name: str(value) for name, value in asked.items() if value is not None}
            options = {"params": params, **body}
            page = self._sent(method, path, options, repeatable=True).json()
            for item in page["items"]:
                yield shape.model_validate(item)
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def _tried(
        self, method: str, path: str, options: Mapping[str, Any]
    ) -> httpx.Response | ProblemError | UnreachableError:
        try:
            response = self._http.request(method, path, **options)
        except ProblemError as refused:
            # Whoever asks was not let in, so the request itself was not carried out.
            return refused
        except httpx.TransportError as error:
            fault = self._unreachable(error)
            fault.__cause__ = error
            return fault
        return response if response.is_success else ProblemError(response)

    def _unreachable(self, error: httpx.TransportError) -> UnreachableError:
        return UnreachableError(f"{self._http.base_url}: {error or type(error).__name__}")


def _undone(fault: ProblemError | UnreachableError) -> bool:
    """Return whether a request surely did nothing: it was refused, or never began."""
    return isinstance(fault, ProblemError) or isinstance(fault.__cause__, httpx.ConnectError)


def _wait_s(fault: ProblemError | UnreachableError, tried: int) -> float | None:
    """Return how long to wait before another try; None where none would do better."""
    wait_s: float = _FIRST_WAIT_S * 2 ** (tried - 1)
    if isinstance(fault, UnreachableError):
        return wait_s
    if fault.status in _LATER or fault.type == _IN_PROGRESS:
        return fault.retry_after_s if fault.retry_after_s is not None else wait_s
    return None
