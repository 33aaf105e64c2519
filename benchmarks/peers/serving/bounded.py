"""A door for ASGI servers that have none: beyond a bound, callers are told at once to wait."""

from collections.abc import Awaitable, Callable
from typing import Any

_Scope = dict[str, Any]
_App = Callable[[_Scope, Any, Any], Awaitable[None]]


class Bounded:
    """Answers 429 while as many requests are in work as may be."""

    def __init__(self, app: _App, limit: int) -> None:
        """Stand in front of an application."""
        self._app = app
        self._free = limit

    async def __call__(self, scope: _Scope, receive: Any, send: Any) -> None:
        """Let a request in, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif self._free <= 0:
            headers = [(b"retry-after", b"1"), (b"content-length", b"0")]
            await send({"type": "http.response.start", "status": 429, "headers": headers})
            await send({"type": "http.response.body"})
        else:
            self._free -= 1
            try:
                await self._app(scope, receive, send)
            finally:
                self._free += 1
