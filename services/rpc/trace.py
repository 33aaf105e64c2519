"""How a trace travels from room to room, and what it says of a call."""

from __future__ import annotations  # gRPC's classes are generic for type checkers only

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import grpc
from grpc import aio

from services import telemetry
from services.rpc.metadata import with_metadata

if TYPE_CHECKING:  # OpenTelemetry is there only where traces are wanted
    from services.telemetry.traces import Span, Traces

TRACEPARENT = "traceparent"

_OUR_FAULT = frozenset(
    {
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DATA_LOSS,
    }
)
"""Statuses by which a server's span counts as failed (OpenTelemetry's conventions for gRPC)."""


def begin(traces: Traces, path: str, metadata: dict[str, Any]) -> Span:
    """Begin the span of a call that came in, and let its task be in it.

    Args:
        traces: where it is recorded.
        path: of the method, ``/service/method``.
        metadata: that came with the call.

    """
    received = metadata.get(TRACEPARENT)
    traceparent = received if isinstance(received, str) else None
    span = traces.request(path[1:], traceparent, _named(path))
    telemetry.enter_span(span)
    return span


def end(span: Span, code: grpc.StatusCode) -> None:
    """End the span of a call that was answered."""
    span.end(_coded(code), failed=code in _OUR_FAULT)


class TraceInterceptor(aio.UnaryUnaryClientInterceptor):
    """Makes a call a step of the trace that its task is in, if it is in one."""

    def __init__(self) -> None:
        """Begin with no call."""
        self._watching: set[asyncio.Task[None]] = set()

    async def intercept_unary_unary(
        self,
        continuation: Callable[[aio.ClientCallDetails, Any], Any],
        client_call_details: aio.ClientCallDetails,
        request: Any,
    ) -> Any:
        """Begin a span and hand it on; the call itself is left as it is."""
        caller = telemetry.current_span()
        if caller is None:
            return await continuation(client_call_details, request)
        path = _text(client_call_details.method)
        span = caller.call(path[1:], _named(path))
        details = with_metadata(client_call_details, TRACEPARENT, span.traceparent)
        call = await continuation(details, request)
        # Waited for beside the caller, who may leave: then the call ends too, and so the span.
        watching = asyncio.create_task(_end_with(call, span))
        self._watching.add(watching)
        watching.add_done_callback(self._watching.discard)
        return call


async def _end_with(call: aio.UnaryUnaryCall[Any, Any], span: Span) -> None:
    code = await call.code()
    span.end(_coded(code), failed=code is not grpc.StatusCode.OK)


def _text(method: Any) -> str:
    # Declared as text, and bytes in truth.
    return method.decode() if isinstance(method, bytes) else str(method)


def _named(path: str) -> dict[str, str | int]:
    _, service, method = path.split("/", 2)
    return {"rpc.system": "grpc", "rpc.service": service, "rpc.method": method}


def _coded(code: grpc.StatusCode) -> dict[str, str | int]:
    number: int = code.value[0]
    return {"rpc.grpc.status_code": number}
