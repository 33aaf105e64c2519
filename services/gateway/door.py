"""Where every request comes in and every answer goes out, as plain ASGI.

Here a request gets its id, its bound and its place in metrics and log, and an answer its
security headers; what nobody else caught becomes a problem here.
"""

import asyncio
import contextlib
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect
from structlog.contextvars import clear_contextvars

from services import rpc, telemetry
from services.gateway import answer_head, errors, problems, reading, trace
from services.gateway.cross_origin import CrossOrigin
from services.gateway.handshake import Handshake
from services.gateway.metrics import Metrics
from services.gateway.outflow import cut
from services.gateway.patience import Patience
from services.gateway.security_headers import ONLY_TLS

if TYPE_CHECKING:  # OpenTelemetry is there only where traces are wanted
    from services.telemetry.traces import Traces

MAX_BODY_BYTES = 64 * 1024
"""The largest body of a request that brings no picture."""

_PIECE_BYTES = 64 * 1024
"""Answers go out in pieces of this size, each when the client has taken most of those before."""

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# What a proxy's log calls a client that left before its answer.
_CLIENT_LEFT = 499

_log = telemetry.logger(__name__)


class Door:
    """The outermost middleware of ours; only the framework's own net lies around it."""

    def __init__(
        self,
        app: ASGIApp,
        metrics: Metrics,
        body_timeout_s: float,
        unbounded: frozenset[str],
        cross_origin: CrossOrigin,
        slow: Mapping[str, float] | None = None,
        traces: "Traces | None" = None,
        patience_s: float = 30,
    ) -> None:
        """Build around an application.

        Args:
            app: what lies behind the door.
            metrics: counts and times requests.
            body_timeout_s: seconds that a body may take to arrive.
            unbounded: paths that bound their bodies themselves.
            slow: paths whose bodies may take so many seconds instead.
            cross_origin: knows what pages of other origins may do.
            traces: where requests are recorded; None for nowhere.
            patience_s: seconds that a client may take nothing of an answer.

        """
        self._app = app
        self._metrics = metrics
        self._body_timeout_s = body_timeout_s
        self._unbounded = unbounded
        self._slow = slow or {}
        self._cross_origin = cross_origin
        self._traces = traces
        self._patience_s = patience_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or WebSocket; anything else, such as a lifespan, passes through."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        clear_contextvars()
        headers = Headers(scope=scope)
        request_id = telemetry.enter_request(headers.get(rpc.REQUEST_ID_HEADER))
        told = {
            **(ONLY_TLS if scope["scheme"] in {"https", "wss"} else {}),
            **self._cross_origin.headers(headers),
            rpc.REQUEST_ID_HEADER: request_id,
        }
        if scope["type"] == "websocket":
            await self._shake_hands(Handshake(scope, send, told), receive)
            return
        span = None if self._traces is None else trace.begin(self._traces, scope, headers)
        body_timeout_s = self._slow.get(scope["path"], self._body_timeout_s)
        visit = _Visit(scope, receive, send, body_timeout_s, Patience(self._patience_s))
        visit.bounded = scope["path"] not in self._unbounded
        if visit.bounded and reading.is_json(reading.kind_of(headers)):
            visit.json = bytearray()
        visit.told = told
        visit.varies = self._cross_origin.varies
        try:
            await self._app(visit.scope, visit.receive, visit.send)
        except ClientDisconnect:
            visit.status = _CLIENT_LEFT
        except Exception as error:
            if visit.status is not None:
                # Half an answer is out: the server has to break the connection.
                raise
            with contextlib.suppress(ClientDisconnect):
                await problems.answer(error, visit.scope)(visit.scope, receive, visit.send)
        finally:
            self._record(visit)
            if span is not None:
                trace.end(span, visit.method, visit.route, visit.status or _CLIENT_LEFT)

    async def _shake_hands(self, handshake: Handshake, receive: Receive) -> None:
        try:
            await self._app(handshake.scope, receive, handshake.send)
        except WebSocketDisconnect:
            pass  # the client left before its answer
        except Exception as error:
            if handshake.status is not None:
                # The server breaks the connection, and says nothing of it.
                _log.error("request failed", exc_info=error)
                raise
            refused = WebSocket(handshake.scope, receive, handshake.send)
            await refused.send_denial_response(problems.answer(error, handshake.scope))
        finally:
            self._record(handshake)

    def _record(self, visit: "_Visit | Handshake") -> None:
        seconds = time.perf_counter() - visit.began
        method, route = visit.method, visit.route
        status = visit.status or _CLIENT_LEFT
        self._metrics.requests(method, route, str(status)).inc()
        # How long somebody watches says nothing of how quick we are.
        if not visit.lasting:
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
    lasting = False
    """Whether the answer goes on for as long as the caller stays."""

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        body_timeout_s: float,
        patience: Patience,
    ) -> None:
        self.method = scope["method"] if scope["method"] in _METHODS else "other"
        self._bodiless = self.method == "HEAD"
        # What is only about an answer is answered as the answer itself would be.
        self.scope = {**scope, "method": "GET"} if self._bodiless else scope
        self.told: dict[str, str] = {}
        self.varies = False
        self.json: bytearray | None = None
        self.status: int | None = None
        self.began = time.perf_counter()
        self._receive = receive
        self._send = send
        self._patience = patience
        self._received = 0
        self._until: float | None = asyncio.get_running_loop().time() + body_timeout_s

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
            if self.json is not None:
                self.json += message.get("body", b"")
                if not message.get("more_body"):
                    reading.check_json(self.json)
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
            headers = answer_head.complete(message, self.scope, self.told)
            self.lasting = headers.get("content-type", "").startswith("text/event-stream")
            if self.varies:
                headers.add_vary_header("Origin")
            await self._push(message)
            if self._bodiless:
                # All is said; who would go on sending, as streams do, is told that nobody listens.
                await self._push({"type": "http.response.body"})
        elif not self._bodiless:
            body = message.get("body", b"")
            while len(body) > _PIECE_BYTES:
                piece, body = body[:_PIECE_BYTES], body[_PIECE_BYTES:]
                await self._push({"type": message["type"], "body": piece, "more_body": True})
            await self._push({**message, "body": body})

    async def _push(self, message: Message) -> None:
        """Send a message; a client that takes nothing for too long is cut off.

        Raises:
            ClientDisconnect: it was.

        """
        if self.lasting:
            # Streams have a patience of their own.
            await self._send(message)
            return
        try:
            await self._patience.wait(self._send(message), len(message.get("body", b"")))
        except TimeoutError as error:
            _log.warning("client that reads nothing was cut off")
            cut(self.scope)
            raise ClientDisconnect from error
