"""One call's bookkeeping, from its request id to its place in the metrics."""

from __future__ import annotations  # gRPC's classes are generic for type checkers only

import time
from typing import TYPE_CHECKING, Any, Self

import grpc
from grpc import aio

from services import telemetry
from services.rpc import trace
from services.rpc.metrics import CallMetrics
from services.rpc.request_id import REQUEST_ID_HEADER

if TYPE_CHECKING:  # OpenTelemetry is there only where traces are wanted
    from services.telemetry.traces import Span, Traces

_CLOCK_SLACK_S = 0.02
"""A caller's deadline passes at its own end first, and its leaving arrives this much early."""


class Call:
    """A block in which one call is answered.

    Attributes:
        context: the call's own.
        method: its name without that of its service.
        code: set when an error became a status; without one the caller left or its time was up.

    """

    def __init__(
        self,
        context: aio.ServicerContext[Any, Any],
        path: str,
        metrics: CallMetrics,
        traces: Traces | None,
    ) -> None:
        """Prepare the block.

        Args:
            context: the call's own.
            path: of its method, ``/service/method``.
            metrics: where it is counted.
            traces: where it is recorded; None for nowhere.

        """
        self.context = context
        self.method = path.rpartition("/")[2]
        self.code: grpc.StatusCode | None = None
        self._path = path
        self._metrics = metrics
        self._traces = traces
        self._span: Span | None = None

    def __enter__(self) -> Self:
        metadata = dict(self.context.invocation_metadata() or ())
        received = metadata.get(REQUEST_ID_HEADER)
        telemetry.enter_request(received if isinstance(received, str) else None)
        if self._traces is not None:
            self._span = trace.begin(self._traces, self._path, metadata)
        self._began = time.perf_counter()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        code = grpc.StatusCode.OK if kind is None else self.code or self._why_cancelled()
        self._metrics.observe(self.method, code, time.perf_counter() - self._began)
        if self._span is not None:
            trace.end(self._span, code)

    def _why_cancelled(self) -> grpc.StatusCode:
        remaining_s = self.context.time_remaining()
        if remaining_s is not None and remaining_s < _CLOCK_SLACK_S:
            return grpc.StatusCode.DEADLINE_EXCEEDED
        return grpc.StatusCode.CANCELLED
