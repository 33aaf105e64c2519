"""Where every call comes in: it gets its id, its status and its place in the metrics."""

from __future__ import annotations  # gRPC's classes are generic for type checkers only

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any, NoReturn

import grpc
from grpc import aio

from services.rpc import pushback, reason
from services.rpc.call import Call
from services.rpc.drain import ClosingError, Drain
from services.rpc.messages import Malformed, MalformedError, tolerant
from services.rpc.metrics import CallMetrics
from services.rpc.statuses import Statuses, answer_to

if TYPE_CHECKING:  # OpenTelemetry is there only where traces are wanted
    from services.telemetry.traces import Traces

_STATUSES: Statuses = {
    ClosingError: grpc.StatusCode.UNAVAILABLE,
    MalformedError: grpc.StatusCode.INVALID_ARGUMENT,
}

_GRPCS_OWN = "/grpc."
"""Health and reflection: asked all the time, and no work of the room's."""


class Door(aio.ServerInterceptor):
    """Wraps the methods of our own services."""

    def __init__(
        self,
        statuses: Statuses,
        metrics: CallMetrics,
        drain: Drain,
        traces: Traces | None = None,
    ) -> None:
        """Build a door.

        Args:
            statuses: which status each domain error becomes.
            metrics: where calls are counted.
            drain: whether calls are still taken.
            traces: where calls are recorded; None for nowhere.

        """
        self._statuses = {**_STATUSES, **statuses}
        self._metrics = metrics
        self._drain = drain
        self._traces = traces
        self._wrapped: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}

    async def intercept_service(
        self,
        continuation: Callable[
            [grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any] | None]
        ],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        """Return a method's handler, wrapped if the method is one of ours.

        It is wrapped once: whoever is refused must cost little. What does not exist is not kept,
        or callers could make up methods until the memory is full.
        """
        method = handler_call_details.method
        if (known := self._wrapped.get(method)) is not None:
            return known
        handler = await continuation(handler_call_details)
        if handler is None or method.startswith(_GRPCS_OWN):
            return handler
        return self._wrapped.setdefault(method, self._wrap(handler, method))

    def _wrap(
        self, handler: grpc.RpcMethodHandler[Any, Any], method: str
    ) -> grpc.RpcMethodHandler[Any, Any]:
        if handler.unary_unary is not None:
            return grpc.unary_unary_rpc_method_handler(
                self._unary(handler.unary_unary, method),
                tolerant(handler.request_deserializer),
                handler.response_serializer,
            )
        if handler.stream_stream is not None:
            return grpc.stream_stream_rpc_method_handler(
                self._stream(handler.stream_stream, method),
                tolerant(handler.request_deserializer),
                handler.response_serializer,
            )
        raise NotImplementedError(f"{method}: only unary and bidirectional calls are served")

    def _unary(self, answer: Callable[..., Any], method: str) -> Callable[..., Any]:
        async def call(request: Any, context: aio.ServicerContext[Any, Any]) -> Any:
            with Call(context, method, self._metrics, self._traces) as running:
                try:
                    self._drain.refuse_if_begun()
                    if isinstance(request, Malformed):
                        raise MalformedError  # noqa: TRY301 - as any other error of a call
                    return await answer(request, context)
                except Exception as error:  # noqa: BLE001 - this is where errors become statuses
                    await self._abort(running, error)

        return call

    def _stream(self, answer: Callable[..., Any], method: str) -> Callable[..., Any]:
        async def call(
            requests: AsyncIterator[Any], context: aio.ServicerContext[Any, Any]
        ) -> AsyncIterator[Any]:
            with Call(context, method, self._metrics, self._traces) as running:
                try:
                    accepted = self._drain.until_begun(requests)
                    async with contextlib.aclosing(answer(accepted, context)) as responses:
                        async for response in responses:
                            yield response
                    if accepted.trouble is not None:
                        raise accepted.trouble  # noqa: TRY301 - as any other error of a call
                except Exception as error:  # noqa: BLE001 - this is where errors become statuses
                    await self._abort(running, error)

        return call

    async def _abort(self, call: Call, error: Exception) -> NoReturn:
        if isinstance(error, aio.AbortError):
            raise error
        call.code, sentence = answer_to(error, self._statuses)
        trailers = (*pushback.trailer(error), *reason.trailer(error))
        await call.context.abort(call.code, sentence, trailers)
