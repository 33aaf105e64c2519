"""Where every request comes in and every answer goes out, as plain ASGI.

Here a request gets its id, its bound and its place in metrics and log, and an answer its
security headers; what nobody else caught becomes a problem here.
"""

import asyncio
import time
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import clear_contextvars

from services import rpc, telemetry
from services.gateway import errors, problems, trace
from services.gateway.metrics import Metrics

if TYPE_CHECKING:  # OpenTelemetry is there only where traces are wanted
    from services.telemetry.traces import Traces

MAX_BODY_BYTES = 64 * 1024
"""The largest body of a request that brings no picture."""

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# What a proxy's log calls a client that left before its answer.
_CLIENT_LEFT = 499

_SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}

_log = telemetry.logger(__name__)


class Door:
    """The outermost middleware of ours; only the framework's own net lies around it."""

    def __init__(
        self,
        app: ASGIApp,
        metrics: Metrics,
        body_timeout_s: float,
        unbounded: frozenset[str],
        traces: "Traces | None" = None,
    ) -> None:
        """Build around an application.

        Args:
            app: what lies behind the door.
            metrics: counts and times requests.
            body_timeout_s: seconds that a body may take to arrive.
            unbounded: paths that bound their bodies themselves.
            traces: where requests are recorded; None for nowhere.

        """
        self._app = app
        self._metrics = metrics
        self._body_timeout_s = body_timeout_s
        self._unbounded = unbounded
        self._traces = traces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; anything else, such as a lifespan, passes through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        clear_contextvars()
        headers = Headers(scope=scope)
        request_id = telemetry.enter_request(headers.get(rpc.REQUEST_ID_HEADER))
        span = None if self._traces is None else trace.begin(self._traces, scope, headers)
        visit = _Visit(scope, receive, send, request_id, self._body_timeout_s)
        visit.bounded = scope["path"] not in self._unbounded
        try:
            await self._app(scope, visit.receive, visit.send)
        except ClientDisconnect:
            visit.status = _CLIENT_LEFT
        except Exception as error:
            if visit.status is not None:
                # Half an answer is out: the server has to break the connection.
                raise
            await problems.answer(error, scope)(scope, receive, visit.send)
        finally:
            self._record(visit)
            if span is not None:
                trace.end(span, visit.method, visit.route, visit.status or _CLIENT_LEFT)

    def _record(self, visit: "_Visit") -> None:
        seconds = time.perf_counter() - visit.began
        method, route = visit.method, visit.route
        status = visit.status or _CLIENT_LEFT
        self._metrics.requests(method, route, str(status)).inc()
        self._metrics.request_seconds(method, route).observe(seconds)
        _log.info(
            "request answered",
            method=method,
            route=route,
            status=status,
            seconds=round(seconds, 4),
        )


class _Visit:
    """One request on its way in and its answer on its way out."""

    bounded = True

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, request_id: str, body_timeout_s: float
    ) -> None:
        self.scope = scope
        self.status: int | None = None
        self.began = time.perf_counter()
        self._receive = receive
        self._send = send
        self._request_id = request_id
        self._received = 0
        self._until: float | None = asyncio.get_running_loop().time() + body_timeout_s

    @property
    def method(self) -> str:
        """The verb; what is none of HTTP's own counts together."""
        method = str(self.scope["method"])
        return method if method in _METHODS else "other"

    @property
    def route(self) -> str:
        """The template of the path, known once the request was routed."""
        return str(getattr(self.scope.get("route"), "path", "unmatched"))

    async def receive(self) -> Message:
        message = await self._next()
        if message["type"] == "http.request":
            self._received += len(message.get("body", b""))
            if self.bounded and self._received > MAX_BODY_BYTES:
                raise errors.TooLargeError(
                    f"The request has too many bytes. Send at most {MAX_BODY_BYTES:,}."
                )
        return message

    async def _next(self) -> Message:
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError as error:
            raise errors.UploadTimeoutError(
                "The request took too long to arrive. Send it again over a faster connection."
            ) from error
        if not message.get("more_body"):
            # All has come: what is waited for from now on is that the caller leaves.
            self._until = None
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers[rpc.REQUEST_ID_HEADER] = self._request_id
            for name, value in _SECURITY_HEADERS.items():
                headers.setdefault(name, value)
        await self._send(message)
