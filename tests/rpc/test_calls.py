"""One call's deadline, its place in the metrics, and its id."""

from __future__ import annotations  # gRPC's classes are generic for type checkers only

import asyncio
import math
from typing import Any, cast

import grpc
import pytest
from grpc import aio
from prometheus_client import CollectorRegistry

from services import rpc, telemetry
from services.pb import inference_pb2_grpc as inference
from services.pb.inference_pb2 import AnalyzeRequest
from services.rpc import call
from services.rpc.metrics import CallMetrics
from tests.rpc.service import (
    PATIENCE_S,
    FullError,
    Servicer,
    WrongError,
    counted,
    failing,
    refusal,
    until_counted,
)


async def test_a_deadline_is_a_moment_of_the_event_loops_clock(
    stub: inference.InferenceServiceAsyncStub, servicer: Servicer
) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await stub.Analyze(AnalyzeRequest(), timeout=50)
    assert began + 49 < servicer.deadline < loop.time() + 51
    await stub.Analyze(AnalyzeRequest())
    assert servicer.deadline == math.inf


async def test_calls_are_counted_by_code_and_timed(
    stub: inference.InferenceServiceAsyncStub, servicer: Servicer, registry: CollectorRegistry
) -> None:
    await stub.Analyze(AnalyzeRequest())
    for error in (WrongError(), FullError(), KeyError()):
        servicer.act = failing(error)
        await refusal(stub)
    for code in ("OK", "INVALID_ARGUMENT", "RESOURCE_EXHAUSTED", "INTERNAL"):
        await until_counted(registry, code)
        assert counted(registry, code) == 1
    assert registry.get_sample_value("test_rpc_seconds_count", {"method": "Analyze"}) == 4


async def test_a_caller_who_leaves_is_counted_as_cancelled(
    stub: inference.InferenceServiceAsyncStub, servicer: Servicer, registry: CollectorRegistry
) -> None:
    began = asyncio.Event()

    async def endless() -> None:
        began.set()
        await asyncio.Event().wait()

    servicer.act = endless
    # Long before the deadline: whoever leaves then has had enough.
    running = stub.Analyze(AnalyzeRequest(), timeout=60 * PATIENCE_S)
    await began.wait()
    running.cancel()
    await until_counted(registry, "CANCELLED")


async def test_a_deadline_ends_the_work_and_the_call(
    stub: inference.InferenceServiceAsyncStub,
    servicer: Servicer,
    registry: CollectorRegistry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # On a busy machine a call is on its way for longer, and the caller's clock further ahead.
    monkeypatch.setattr(call, "_CLOCK_SLACK_S", 2 * PATIENCE_S)
    ended = asyncio.Event()

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    servicer.act = endless
    for deadline_s in (0.1, 2, PATIENCE_S):
        with pytest.raises(aio.AioRpcError) as caught:
            await stub.Analyze(AnalyzeRequest(), timeout=deadline_s)
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        if servicer.asked:  # a deadline that was over on the way there says nothing
            break
    async with asyncio.timeout(PATIENCE_S):
        await ended.wait()
    await until_counted(registry, "DEADLINE_EXCEEDED")


class Left:
    """The context of a call whose caller is gone so long before its deadline."""

    def __init__(self, remaining_s: float | None) -> None:
        self._remaining_s = remaining_s

    def invocation_metadata(self) -> tuple[()]:
        return ()

    def time_remaining(self) -> float | None:
        return self._remaining_s


@pytest.mark.parametrize(
    ("remaining_s", "code"),
    [
        (None, "CANCELLED"),
        (0.021, "CANCELLED"),
        (0.019, "DEADLINE_EXCEEDED"),
        (-0.1, "DEADLINE_EXCEEDED"),
    ],
)
def test_who_leaves_within_20_ms_of_the_deadline_was_sent_away_by_it(
    registry: CollectorRegistry, remaining_s: float | None, code: str
) -> None:
    context = cast("aio.ServicerContext[Any, Any]", Left(remaining_s))
    with (
        pytest.raises(asyncio.CancelledError),
        call.Call(context, "/a/Analyze", CallMetrics(registry, "test"), None),
    ):
        raise asyncio.CancelledError
    assert counted(registry, code) == 1


async def test_the_request_id_in_force_travels_with_the_call(
    stub: inference.InferenceServiceAsyncStub,
) -> None:
    telemetry.enter_request("from-the-door")
    assert (await stub.Analyze(AnalyzeRequest())).notice == "from-the-door"


async def test_a_call_without_an_id_gets_one_of_its_own(
    stub: inference.InferenceServiceAsyncStub,
) -> None:
    ids = {(await stub.Analyze(AnalyzeRequest())).notice for _ in range(2)}
    assert len(ids) == 2


async def test_an_id_that_came_as_metadata_is_kept_and_a_harmful_one_is_not(
    stub: inference.InferenceServiceAsyncStub,
) -> None:
    for received, kept in (("abc-1", True), ("a b", False)):
        metadata = ((rpc.REQUEST_ID_HEADER, received),)
        answer = await stub.Analyze(AnalyzeRequest(), metadata=metadata)
        assert (answer.notice == received) is kept


async def test_a_picture_above_the_default_limit_of_grpc_gets_through(
    stub: inference.InferenceServiceAsyncStub,
) -> None:
    await stub.Analyze(AnalyzeRequest(image=bytes(17 * 1024 * 1024)))
