"""ReportService on the wire: message in, message out, and which error is which status."""

import functools
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import grpc
from grpc import aio

from services import telemetry
from services.pb import reports_pb2
from services.pb.reports_pb2 import RenderRequest, RenderResponse
from services.pb.reports_pb2_grpc import ReportServiceServicer
from services.reports import document, errors, validation
from services.reports.metrics import Metrics
from services.reports.renderers import Renderers
from services.rpc import Statuses

if TYPE_CHECKING:  # OpenTelemetry is there only where traces are wanted
    from services.telemetry.traces import Span

SERVICE = reports_pb2.DESCRIPTOR.services_by_name["ReportService"].full_name

STATUSES: Statuses = {
    errors.InvalidReportError: grpc.StatusCode.INVALID_ARGUMENT,
    errors.TooManyWaitingError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.TooMuchHeldError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.DeadlinePassedError: grpc.StatusCode.DEADLINE_EXCEEDED,
}
"""Anything else is a fault of ours."""

_log = telemetry.logger(__name__)


class ReportServicer(ReportServiceServicer):
    """Answers Render."""

    def __init__(self, renderers: Renderers, metrics: Metrics, max_pixels: int) -> None:
        """Answer with renderers that the process owns.

        Args:
            renderers: where reports are rendered.
            metrics: where they are counted.
            max_pixels: the largest picture that is decoded.

        """
        self._renderers = renderers
        self._metrics = metrics
        self._max_pixels = max_pixels

    async def Render(
        self, request: RenderRequest, context: "aio.ServicerContext[Any, Any]"
    ) -> RenderResponse:
        """Render one report; see proto/reports.proto."""
        validation.check(request)
        span, asked = telemetry.recorded_span(), time.monotonic()
        left = threading.Event()
        render = functools.partial(self._render, request, lambda: not left.is_set(), span, asked)
        try:
            answer = await self._renderers.run(
                render,
                within_s=context.time_remaining(),
                size=request.ByteSize(),
                is_long=document.is_long(request),
            )
        finally:
            # gRPC cancels this when the caller does, and when the caller's deadline passes.
            left.set()
        _log.info("rendered", pages=answer.page_count, bytes=len(answer.pdf))
        return answer

    def _render(
        self,
        request: RenderRequest,
        is_wanted: Callable[[], bool],
        span: "Span | None",
        asked: float,
    ) -> RenderResponse:
        began = time.monotonic()
        pdf, page_count = document.render(request, self._max_pixels, is_wanted)
        ended = time.monotonic()
        self._metrics.rendered(ended - began, page_count)
        if span is not None:
            span.step("queue", asked, began)
            span.step("render", began, ended)
        return RenderResponse(pdf=pdf, page_count=page_count)
