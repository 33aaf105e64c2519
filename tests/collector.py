"""A collector of traces as OpenTelemetry's protocol over HTTP asks for it, small but real."""

import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from services.telemetry import traces

Value = str | int


@dataclass(frozen=True, slots=True)
class Seen:
    """A span that arrived, and the process that it came from."""

    service: str
    span: Span
    message: ExportTraceServiceRequest

    @property
    def trace_id(self) -> str:
        return self.span.trace_id.hex()

    @property
    def attributes(self) -> dict[str, Value]:
        return _values(self.span.attributes)

    def under(self, parent: "Seen") -> bool:
        """Say whether this is a step of another span."""
        return self.span.parent_span_id == parent.span.span_id and self.trace_id == parent.trace_id


@dataclass(slots=True)
class Collector:
    """Keeps every span that is sent to it."""

    address: str
    spans: list[Seen] = field(default_factory=list)
    _more: threading.Condition = field(default_factory=threading.Condition)

    def take(self, body: bytes) -> None:
        message = ExportTraceServiceRequest.FromString(body)
        with self._more:
            for resource in message.resource_spans:
                service = str(_values(resource.resource.attributes)["service.name"])
                for scope in resource.scope_spans:
                    self.spans.extend(Seen(service, span, message) for span in scope.spans)
            self._more.notify_all()

    def wait_for(self, service: str, trace_id: str, name: str | None = None) -> None:
        """Return when a span of a trace came from a process, with all that ended there before it.

        Args:
            service: the process.
            trace_id: of the trace.
            name: of the span; None for any.

        """
        with self._more:
            came = self._more.wait_for(
                lambda: any(
                    (each.service, each.trace_id) == (service, trace_id)
                    and name in {None, each.span.name}
                    for each in self.spans
                ),
                timeout=120,
            )
        seen = Counter((each.service, each.trace_id == trace_id) for each in self.spans)
        assert came, f"no span of {service} in the trace; (service, in it): count is {dict(seen)}"


@contextmanager
def collecting() -> Iterator[Collector]:
    """Listen on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Write nothing."""

    with (
        pytest.MonkeyPatch.context() as patched,
        ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server,
    ):
        # No test is short of time at its end: a span that comes late is none that is lost.
        patched.setattr(traces, "_PATIENCE_S", 120)
        collector = Collector(f"http://127.0.0.1:{server.server_address[1]}")
        listening = threading.Thread(target=server.serve_forever)
        listening.start()
        yield collector
        server.shutdown()
        listening.join()


def _values(attributes: Iterable[KeyValue]) -> dict[str, Value]:
    return {each.key: each.value.string_value or each.value.int_value for each in attributes}
