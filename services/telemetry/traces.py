"""Traces by OpenTelemetry's SDK. Imported only where the environment asks for them.

Spans hold what is known of every request alike: routes, methods, statuses, models, sizes of
batches. Nothing that a caller sent becomes an attribute, an error is told by its status alone,
and what other systems write into ``tracestate`` and ``baggage`` is not passed on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_TRACEPARENT = "traceparent"
"""The header that carries a trace from process to process (W3C Trace Context)."""

Attributes = Mapping[str, str | int]

_NS = 1_000_000_000
_PATIENCE_S = 2
_AT_ONCE_NS = 100_000
_READINGS = 8


class Span:
    """One step of a request that is traced.

    Attributes:
        recorded: whether it will be seen; what is not sampled is only passed on.

    """

    __slots__ = ("_span", "_tracer", "recorded")

    def __init__(self, tracer: trace.Tracer, span: trace.Span) -> None:
        """Wrap a span that was started."""
        self._tracer = tracer
        self._span = span
        self.recorded = span.is_recording()

    @property
    def trace_id(self) -> str:
        """The trace's id, 32 hexadecimal digits."""
        return trace.format_trace_id(self._span.get_span_context().trace_id)

    @property
    def traceparent(self) -> str:
        """The header by which another process goes on with this trace."""
        context = self._span.get_span_context()
        span_id = trace.format_span_id(context.span_id)
        return f"00-{self.trace_id}-{span_id}-{context.trace_flags:02x}"

    def call(self, name: str, attributes: Attributes) -> Span:
        """Begin a call to another process."""
        return self._child(name, SpanKind.CLIENT, attributes)

    def step(
        self,
        name: str,
        began: float,
        ended: float,
        attributes: Attributes | None = None,
        *,
        failed: bool = False,
        mates: Iterable[Span] = (),
    ) -> None:
        """Add a step that is over.

        Args:
            name: what was done.
            began: on the monotonic clock, in seconds.
            ended: the same.
            attributes: what is to be known of it.
            failed: whether it went wrong.
            mates: of other requests, that shared it.

        """
        epoch_ns = _epoch_ns()
        links = [Link(mate._span.get_span_context()) for mate in mates]  # noqa: SLF001 - a sibling
        span = self._tracer.start_span(
            name,
            self._context(),
            attributes=attributes,
            links=links,
            start_time=epoch_ns + int(began * _NS),
        )
        if failed:
            span.set_status(Status(StatusCode.ERROR))
        span.end(epoch_ns + int(ended * _NS))

    def end(
        self, attributes: Attributes | None = None, *, name: str | None = None, failed: bool = False
    ) -> None:
        """End the span.

        Args:
            attributes: what is known only now.
            name: a better one, where that is known only now.
            failed: whether it went wrong.

        """
        if name is not None:
            self._span.update_name(name)
        self._span.set_attributes(dict(attributes or {}))
        if failed:
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()

    def _child(self, name: str, kind: SpanKind, attributes: Attributes) -> Span:
        started = self._tracer.start_span(name, self._context(), kind, attributes)
        return Span(self._tracer, started)

    def _context(self) -> Context:
        return trace.set_span_in_context(self._span, Context())


class Traces:
    """Where the requests of one process become traces."""

    def __init__(self, service: str) -> None:
        """Send to the collector, with the sampling and the limits, that ``OTEL_*`` name.

        Args:
            service: what the process is called, unless the environment calls it otherwise.

        """
        self._provider = TracerProvider(resource=_resource(service))
        self._exporter = OTLPSpanExporter()
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer("dermserve")

    def request(self, name: str, traceparent: str | None, attributes: Attributes) -> Span:
        """Begin with a request that came in; it goes on with its caller's trace, if it has one.

        Args:
            name: what is asked for, without anything of the caller.
            traceparent: the header that came with the request, if any.
            attributes: what is known before it is answered.

        """
        carrier = {_TRACEPARENT: traceparent} if traceparent else {}
        context = TraceContextTextMapPropagator().extract(carrier, Context())
        started = self._tracer.start_span(name, context, SpanKind.SERVER, attributes)
        return Span(self._tracer, started)

    def close(self) -> None:
        """Send what is left; a collector that does not answer is not waited for long."""
        impatience = threading.Timer(_PATIENCE_S, self._exporter.shutdown)
        impatience.start()
        self._provider.shutdown()
        impatience.cancel()


def _epoch_ns() -> int:
    """Return the wall clock's time at the beginning of the monotonic one.

    It is taken every time, for the wall clock may be set while the service runs. Whoever is held up
    between the two readings reads them once more, or steps would lie outside of their call.
    """
    for _ in range(_READINGS):
        before, wall, after = time.monotonic_ns(), time.time_ns(), time.monotonic_ns()
        if after - before < _AT_ONCE_NS:
            break
    return wall - (before + after) // 2


def _resource(service: str) -> Resource:
    """Return what all spans say of this process; ``OTEL_SERVICE_NAME`` and its like go first."""
    found = Resource.create()
    if str(found.attributes[SERVICE_NAME]).startswith("unknown_service"):
        return found.merge(Resource({SERVICE_NAME: f"dermserve-{service}"}))
    return found
