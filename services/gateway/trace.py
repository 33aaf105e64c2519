"""What a trace says of a request: its verb, its route and its status, never its path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.types import Scope

from services import rpc, telemetry

if TYPE_CHECKING:  # OpenTelemetry is there only where traces are wanted
    from services.telemetry.traces import Span, Traces

_OF_MACHINES = frozenset({"/livez", "/readyz", "/metrics"})
"""Asked every few seconds; their traces would only bury the others."""

_SERVER_ERROR = 500


def begin(traces: Traces, scope: Scope, headers: Headers) -> Span | None:
    """Begin the span of a request and let its task be in it; None for those of machines."""
    if scope["path"] in _OF_MACHINES:
        return None
    # Its route is known when it was routed, and a path may hold the number of a patient.
    span = traces.request("HTTP", headers.get(rpc.TRACEPARENT), {})
    telemetry.enter_span(span)
    return span


def end(span: Span, method: str, route: str, status: int) -> None:
    """End the span of a request that was answered."""
    span.end(
        {
            "http.request.method": method,
            "http.route": route,
            "http.response.status_code": status,
        },
        name=f"{method} {route}",
        failed=status >= _SERVER_ERROR,
    )
