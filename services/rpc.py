"""How the rooms meet on the wire: serving and dialling gRPC well.

A server made here has health, reflection, request ids, counted and timed calls, one table
that maps domain errors to statuses, and an orderly end. A channel made here balances over
replicas, notices dead peers and hands the request id on.
"""

from __future__ import annotations  # gRPC's classes are generic for type checkers only

import asyncio
import contextlib
import json
import math
import signal
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, NoReturn, Self

import grpc
from grpc import aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from prometheus_client import CollectorRegistry, Counter, Histogram

from services import telemetry

MAX_MESSAGE_BYTES = 40 * 1024 * 1024
"""The largest message on either end: above the largest upload plus the pictures of its answer.

gRPC's own default of 4 MiB would refuse a 5 MB picture as if the service were overloaded.
"""

REQUEST_ID_HEADER = "x-request-id"
PUSHBACK_TRAILER = "grpc-retry-pushback-ms"

_CLOCK_SLACK_S = 0.02
"""A caller's deadline passes at its own end first, and its leaving arrives this much early."""

Statuses = Mapping[type[Exception], grpc.StatusCode]
"""A room's domain errors and the status that each becomes; subclasses inherit."""

_log = telemetry.logger(__name__)

_SERVER_OPTIONS = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    # Two processes that share a port by accident would each answer half of the calls.
    ("grpc.so_reuseport", 0),
    # Connections end now and then, so that clients find new replicas; running calls stay.
    ("grpc.max_connection_age_ms", 300_000),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
)

_CHANNEL_OPTIONS = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    # Rooms are neighbors: a proxy that the environment names is for the world outside.
    ("grpc.enable_http_proxy", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.service_config", json.dumps({"loadBalancingConfig": [{"round_robin": {}}]})),
)


class Server:
    """A gRPC server that is live once started, ready once said so, and ends in order."""

    def __init__(self, statuses: Statuses, registry: CollectorRegistry, room: str) -> None:
        """Build a server that is not listening yet.

        Args:
            statuses: which status each domain error becomes.
            registry: where the calls are counted and timed.
            room: prefix of the metrics' names.

        """
        self._health = health.aio.HealthServicer()
        self._services: list[str] = []
        self.grpc = aio.server(
            interceptors=[_Door(statuses, _CallMetrics(registry, room))],
            options=_SERVER_OPTIONS,
        )
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self.grpc)

    async def start(self, host: str, port: int, services: Sequence[str]) -> int:
        """Listen, live but not ready.

        Args:
            host: the interface to listen on.
            port: the port to listen on; 0 takes any free one.
            services: full names of the services added to ``grpc``.

        Returns:
            The port that is listened on.

        Raises:
            telemetry.ListenerError: the address cannot be listened on.

        """
        self._services = ["", *services]
        reflection.enable_server_reflection(
            (*services, health.SERVICE_NAME, reflection.SERVICE_NAME), self.grpc
        )
        await self._say(health_pb2.HealthCheckResponse.NOT_SERVING)
        _refuse_taken(host, port)
        address = authority(host, port)
        try:
            bound = self.grpc.add_insecure_port(address)
        except RuntimeError as error:
            message = f"cannot listen on {address}: is the port taken?"
            raise telemetry.ListenerError(message) from error
        await self.grpc.start()
        return bound

    async def announce_ready(self) -> None:
        """Tell health checks that calls are welcome."""
        await self._say(health_pb2.HealthCheckResponse.SERVING)

    async def stop(self, grace_s: float) -> None:
        """Turn new calls away, let running ones finish, end the rest.

        Args:
            grace_s: the seconds that running calls may still take.

        """
        await self._health.enter_graceful_shutdown()
        await self.grpc.stop(grace_s)

    async def _say(self, status: health_pb2.HealthCheckResponse.ServingStatus.ValueType) -> None:
        for service in self._services:
            await self._health.set(service, status)


def _refuse_taken(host: str, port: int) -> None:
    # Asked before gRPC does, whose core would write a line of its own past our logging.
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        message = f"cannot listen on {authority(host, port)}: {error.strerror}"
        raise telemetry.ListenerError(message) from error


def authority(host: str, port: int) -> str:
    """Join a host and a port as addresses are written, with brackets around IPv6 (RFC 3986)."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def dial(address: str) -> aio.Channel:
    """Open a channel to a room; unary calls on it carry the request id in force.

    Args:
        address: ``host:port``, or any name that gRPC resolves to several replicas.

    """
    return aio.insecure_channel(
        address, options=_CHANNEL_OPTIONS, interceptors=[_RequestIdInterceptor()]
    )


def deadline_of(context: aio.ServicerContext[Any, Any]) -> float:
    """Return when a caller stops waiting, on the event loop's clock; infinity for never."""
    remaining_s = context.time_remaining()
    now = asyncio.get_running_loop().time()
    return math.inf if remaining_s is None else now + remaining_s


def pushback_ms(error: Exception) -> int | None:
    """Return after how long a caller should come back, if the error knows (gRFC A6)."""
    wait_s = getattr(error, "retry_after_s", None)
    return None if wait_s is None else math.ceil(wait_s * 1000)


async def until_told_to_stop() -> None:
    """Return when the process gets SIGTERM or SIGINT."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    await told.wait()


def status_of(error: Exception, statuses: Statuses) -> grpc.StatusCode | None:
    """Return the status of the nearest ancestor of an error that a table names."""
    for ancestor in type(error).__mro__:
        if ancestor in statuses:
            return statuses[ancestor]
    return None


def answer_to(error: Exception, statuses: Statuses) -> tuple[grpc.StatusCode, str]:
    """Return the status and the sentence that an error is answered with.

    An error that the table does not know is a fault of ours: it is logged in full, and the
    caller gets a constant.
    """
    code = status_of(error, statuses)
    if code is None:
        _log.error("call failed", exc_info=error)
        return grpc.StatusCode.INTERNAL, "internal error; the log has it by request id"
    return code, str(error)


class _CallMetrics:
    """Counts and times calls by method and status."""

    def __init__(self, registry: CollectorRegistry, room: str) -> None:
        self._calls = Counter(
            f"{room}_rpcs_total",
            "Calls answered, by method and gRPC status.",
            ["method", "code"],
            registry=registry,
        )
        self._seconds = Histogram(
            f"{room}_rpc_seconds",
            "Time to answer a call.",
            ["method"],
            registry=registry,
            buckets=(0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.6, 1.2, 2.5, 5, 10),
        )

    def observe(self, method: str, code: grpc.StatusCode, seconds: float) -> None:
        self._calls.labels(method, code.name).inc()
        self._seconds.labels(method).observe(seconds)


class _Door(aio.ServerInterceptor):
    """Every call comes in here: it gets its id, its status and its place in the metrics."""

    def __init__(self, statuses: Statuses, metrics: _CallMetrics) -> None:
        self._statuses = statuses
        self._metrics = metrics

    async def intercept_service(
        self,
        continuation: Callable[
            [grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any] | None]
        ],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        handler = await continuation(handler_call_details)
        if handler is None or not handler_call_details.method.startswith("/dermserve."):
            return handler
        method = handler_call_details.method.rpartition("/")[2]
        if handler.unary_unary is not None:
            return grpc.unary_unary_rpc_method_handler(
                self._unary(handler.unary_unary, method),
                handler.request_deserializer,
                handler.response_serializer,
            )
        if handler.stream_stream is not None:
            return grpc.stream_stream_rpc_method_handler(
                self._stream(handler.stream_stream, method),
                handler.request_deserializer,
                handler.response_serializer,
            )
        raise NotImplementedError(f"{method}: only unary and bidirectional calls are served")

    def _unary(self, answer: Callable[..., Any], method: str) -> Callable[..., Any]:
        async def call(request: Any, context: aio.ServicerContext[Any, Any]) -> Any:
            with _Call(context, method, self._metrics) as running:
                try:
                    return await answer(request, context)
                except Exception as error:  # noqa: BLE001 - this is where errors become statuses
                    await self._abort(running, error)

        return call

    def _stream(self, answer: Callable[..., Any], method: str) -> Callable[..., Any]:
        async def call(
            requests: AsyncIterator[Any], context: aio.ServicerContext[Any, Any]
        ) -> AsyncIterator[Any]:
            with _Call(context, method, self._metrics) as running:
                try:
                    async with contextlib.aclosing(answer(requests, context)) as responses:
                        async for response in responses:
                            yield response
                except Exception as error:  # noqa: BLE001 - this is where errors become statuses
                    await self._abort(running, error)

        return call

    async def _abort(self, call: _Call, error: Exception) -> NoReturn:
        if isinstance(error, aio.AbortError):
            raise error
        call.code, sentence = answer_to(error, self._statuses)
        await call.context.abort(call.code, sentence, _pushback(error))


class _Call:
    """One call's bookkeeping, from its request id to its place in the metrics."""

    def __init__(
        self, context: aio.ServicerContext[Any, Any], method: str, metrics: _CallMetrics
    ) -> None:
        self.context = context
        self.method = method
        # Set when an error became a status; without one the caller left or its time was up.
        self.code: grpc.StatusCode | None = None
        self._metrics = metrics

    def __enter__(self) -> Self:
        metadata = dict(self.context.invocation_metadata() or ())
        received = metadata.get(REQUEST_ID_HEADER)
        telemetry.enter_request(received if isinstance(received, str) else None)
        self._began = time.perf_counter()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        code = grpc.StatusCode.OK if kind is None else self.code or self._why_cancelled()
        self._metrics.observe(self.method, code, time.perf_counter() - self._began)

    def _why_cancelled(self) -> grpc.StatusCode:
        remaining_s = self.context.time_remaining()
        if remaining_s is not None and remaining_s < _CLOCK_SLACK_S:
            return grpc.StatusCode.DEADLINE_EXCEEDED
        return grpc.StatusCode.CANCELLED


def _pushback(error: Exception) -> tuple[tuple[str, str], ...]:
    """Return the trailer that tells a caller when to come back, if the error knows."""
    wait_ms = pushback_ms(error)
    return () if wait_ms is None else ((PUSHBACK_TRAILER, str(wait_ms)),)


class _RequestIdInterceptor(aio.UnaryUnaryClientInterceptor):
    """Hands the request id in force to the room that is called."""

    async def intercept_unary_unary(
        self,
        continuation: Callable[[aio.ClientCallDetails, Any], Any],
        client_call_details: aio.ClientCallDetails,
        request: Any,
    ) -> Any:
        request_id = telemetry.current_request_id()
        if request_id is None:
            return await continuation(client_call_details, request)
        metadata = aio.Metadata(*(client_call_details.metadata or ()))
        metadata.add(REQUEST_ID_HEADER, request_id)
        details = aio.ClientCallDetails(
            client_call_details.method,
            client_call_details.timeout,
            metadata,
            client_call_details.credentials,
            client_call_details.wait_for_ready,
        )
        return await continuation(details, request)
