"""A service of five lines, to drive serving and dialling over a real socket.

It borrows a contract of the project: what it answers is its own affair.
"""

from __future__ import annotations  # gRPC's classes are generic for type checkers only

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable

import grpc
import pytest
from grpc import aio
from prometheus_client import CollectorRegistry

from services import rpc, telemetry
from services.pb import inference_pb2_grpc as inference
from services.pb.inference_pb2 import (
    AnalyzeRequest,
    AnalyzeResponse,
    AnalyzeStreamRequest,
    AnalyzeStreamResponse,
)

SERVICE = "dermserve.inference.v1.InferenceService"


class WrongError(Exception):
    """Somebody else's fault."""


class VeryWrongError(WrongError):
    """The same, but more so."""


class FullError(Exception):
    """Too much to do."""

    retry_after_s = 1.5
    reason = "full"


PATIENCE_S = 60
"""What is waited for in tests that do not ask how long it takes: a busy machine is no fault."""

STATUSES: rpc.Statuses = {
    WrongError: grpc.StatusCode.INVALID_ARGUMENT,
    FullError: grpc.StatusCode.RESOURCE_EXHAUSTED,
}


class Servicer(inference.InferenceServiceServicer):
    """Does in a call whatever the test wants done."""

    def __init__(self) -> None:
        self.act: Callable[[], Awaitable[object]] = nothing
        self.asked = 0
        self.deadline = math.nan

    async def Analyze(  # noqa: N802 - the contract's
        self, _: AnalyzeRequest, context: aio.ServicerContext[object, object]
    ) -> AnalyzeResponse:
        self.asked += 1
        self.deadline = rpc.deadline_of(context)
        await self.act()
        return AnalyzeResponse(notice=telemetry.current_request_id() or "")

    async def AnalyzeStream(  # noqa: N802 - the contract's
        self, requests: AsyncIterator[AnalyzeStreamRequest], _: object
    ) -> AsyncIterator[AnalyzeStreamResponse]:
        async for request in requests:
            await self.act()
            yield AnalyzeStreamResponse(id=request.id)

    async def ListModels(self, *_: object) -> None:  # type: ignore[override]  # noqa: N802
        raise NotImplementedError


async def nothing() -> None:
    """Answer at once."""


def failing(error: Exception) -> Callable[[], Awaitable[object]]:
    async def fail() -> None:
        raise error

    return fail


def counted(registry: CollectorRegistry, code: str, method: str = "Analyze") -> float | None:
    return registry.get_sample_value("test_rpcs_total", {"method": method, "code": code})


async def until_counted(registry: CollectorRegistry, code: str, method: str = "Analyze") -> None:
    """Wait for a call that the server counts only after its caller has the answer, or is gone."""
    async with asyncio.timeout(PATIENCE_S):
        while counted(registry, code, method) is None:  # noqa: ASYNC110 - a test may poll
            await asyncio.sleep(0.01)


async def refusal(stub: inference.InferenceServiceAsyncStub) -> aio.AioRpcError:
    with pytest.raises(aio.AioRpcError) as caught:
        await stub.Analyze(AnalyzeRequest(), timeout=PATIENCE_S)
    return caught.value
