"""The step of a traced request that a task is in; none where traces are off."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

from structlog.contextvars import bind_contextvars

if TYPE_CHECKING:  # OpenTelemetry is there only where traces are wanted
    from services.telemetry.traces import Span

_CURRENT: ContextVar[Span | None] = ContextVar("span", default=None)


def enter_span(span: Span) -> None:
    """Let a span be the current one for the rest of this task, and its trace stand in log lines.

    What is not recorded leaves no trace that a log line could point to.
    """
    _CURRENT.set(span)
    if span.recorded:
        bind_contextvars(trace_id=span.trace_id)


def current_span() -> Span | None:
    """Return the span that this task is in, recorded or not; None where traces are off."""
    return _CURRENT.get()


def recorded_span() -> Span | None:
    """Return the span that this task is in, if it is recorded."""
    span = _CURRENT.get()
    return span if span is not None and span.recorded else None
