"""More is asked than can be done, over real sockets: who is turned away, and what is counted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from grpc import aio
from PIL import Image
from prometheus_client import CollectorRegistry

from services import rpc
from services.inference.cost import Cost
from services.inference.engine import engine
from services.inference.pipeline import Pipeline
from services.inference.priority import Priority
from services.inference.runners import Runners
from services.inference.settings import Settings
from services.pb import inference_pb2 as pb
from services.pb import inference_pb2_grpc
from tests import specimens
from tests.inference.asking import ask
from tests.inference.batching import held
from tests.inference.conftest import door

if TYPE_CHECKING:  # the asynchronous stub is a type only
    from services.pb.inference_pb2_grpc import InferenceServiceAsyncStub as Stub


PICTURE = specimens.lesion_jpeg((300, 200))
UNSAID = pb.PRIORITY_UNSPECIFIED


@pytest.fixture
async def pipeline(model_dir: Path, registry: CollectorRegistry) -> AsyncIterator[Pipeline]:
    settings = Settings(model_dir=model_dir, runners=2, max_queue_size=2)
    async with engine(settings, registry) as built:
        yield built


@pytest.fixture
async def idle(pipeline: Pipeline, registry: CollectorRegistry) -> AsyncIterator[Stub]:
    """A service that has places for four pictures."""
    async with door(pipeline, registry) as (_, address), rpc.dial(address) as channel:
        yield inference_pb2_grpc.InferenceServiceStub(channel)


@pytest.fixture
async def busy(idle: Stub, runners: Runners) -> AsyncIterator[Stub]:
    """The same, and it decodes nothing until the test ends."""
    async with held(runners):
        yield idle


@pytest.fixture
def runners(pipeline: Pipeline) -> Runners:
    return pipeline.ways.steps.decode.runners


async def arrived(pipeline: Pipeline, pictures: int) -> None:
    while sum(line.queue_size for line in pipeline.ways.first) != pictures:  # noqa: ASYNC110
        await asyncio.sleep(0.001)


async def ended(calls: Sequence[asyncio.Task[Any]], most: int) -> None:
    while sum(each.done() for each in calls) < most:  # noqa: ASYNC110
        await asyncio.sleep(0.001)


def count(registry: CollectorRegistry, name: str, **labels: str) -> float:
    return registry.get_sample_value(f"inference_{name}", labels) or 0


def pushback_ms(error: aio.AioRpcError) -> int:
    return int(dict(error.trailing_metadata() or ())["grpc-retry-pushback-ms"])


async def test_what_expires_while_it_waits_is_counted_and_never_decoded(
    busy: Stub, pipeline: Pipeline, registry: CollectorRegistry
) -> None:
    for time_s in (0.5, 4, 32):  # its time must not be up on its way to the line
        with pytest.raises(aio.AioRpcError) as late:
            await busy.Analyze(ask(specimens.lesion_jpeg()), timeout=time_s)
        await arrived(pipeline, 0)
        if count(registry, "dropped_total", reason="expired"):
            break
    assert late.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert count(registry, "dropped_total", reason="expired") == 1
    assert count(registry, "dropped_total", reason="cancelled") == 0
    assert count(registry, "decode_seconds_count") == 0


async def test_whose_caller_leaves_while_it_waits_is_counted_and_never_decoded(
    busy: Stub, pipeline: Pipeline, registry: CollectorRegistry
) -> None:
    calls = [busy.Analyze(ask(specimens.lesion_jpeg()), timeout=60) for _ in range(3)]
    answers = [asyncio.ensure_future(call) for call in calls]
    await arrived(pipeline, 3)
    for call in calls:
        call.cancel()
    await asyncio.wait(answers)
    await arrived(pipeline, 0)
    assert count(registry, "dropped_total", reason="cancelled") == 3
    assert count(registry, "dropped_total", reason="expired") == 0
    assert count(registry, "decode_seconds_count") == 0
    assert count(registry, "pictures_in_work") == 0


async def test_a_picture_for_which_there_is_no_place_is_refused_and_counted(
    busy: Stub, pipeline: Pipeline, registry: CollectorRegistry
) -> None:
    calls = [busy.Analyze(ask(specimens.lesion_jpeg()), timeout=60) for _ in range(4)]
    waiting = [asyncio.ensure_future(call) for call in calls]
    await arrived(pipeline, 4)
    with pytest.raises(aio.AioRpcError) as refused:
        await busy.Analyze(ask(specimens.lesion_jpeg()), timeout=60)
    assert refused.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert pushback_ms(refused.value) >= 50
    assert count(registry, "refused_total", reason="queue_full") == 1
    assert count(registry, "refused_total", reason="deadline") == 0
    for call in calls:
        call.cancel()
    await asyncio.wait(waiting)


async def test_the_pushback_says_how_late_the_answer_would_be_by_the_measured_cost(
    busy: Stub, pipeline: Pipeline, registry: CollectorRegistry
) -> None:
    for line in pipeline.ways.first:
        line.sizing.cost = Cost()
        line.sizing.cost.learn(1, 80.0, time.monotonic())
    calls = [busy.Analyze(ask(specimens.lesion_jpeg()), timeout=6000) for _ in range(3)]
    waiting = [asyncio.ensure_future(call) for call in calls]
    await arrived(pipeline, 3)
    with pytest.raises(aio.AioRpcError) as refused:
        await busy.Analyze(ask(b"never looked at"), timeout=50)
    assert refused.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    # It would wait for those ahead, run itself, and is given two runs more: one for chance, and
    # one that must be left when it begins.
    rounds = 3 // pipeline.ways.steps.decode.runners.count
    expected_s = 80 * rounds + 80 + (160 if rounds else 0) - 50
    assert pushback_ms(refused.value) == pytest.approx(1000 * expected_s, rel=0.1)
    assert count(registry, "refused_total", reason="deadline") == 1
    assert count(registry, "decode_seconds_count") == 0
    for call in calls:
        call.cancel()
    await asyncio.wait(waiting)


async def test_a_deadline_too_short_is_refused_or_exceeded_and_the_next_call_is_answered(
    stub: Stub,
) -> None:
    with pytest.raises(aio.AioRpcError) as late:
        await stub.Analyze(ask(specimens.lesion_jpeg()), timeout=0.0005)
    # Which of the two comes first, the client's clock or the service's refusal, is chance.
    assert late.value.code() in {
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
    }
    assert (await stub.Analyze(ask(specimens.lesion_jpeg()), timeout=60)).notice


async def test_a_service_with_all_places_taken_refuses_with_a_pushback(
    idle: Stub, pipeline: Pipeline, runners: Runners
) -> None:
    async with held(runners):
        calls = [
            asyncio.ensure_future(idle.Analyze(ask(specimens.lesion_jpeg()), timeout=600))
            for _ in range(12)
        ]
        await ended(calls, 8)
        await arrived(pipeline, 4)
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    refused = [each for each in outcomes if isinstance(each, aio.AioRpcError)]
    assert len(refused) == 8
    for error in refused:
        assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert pushback_ms(error) > 0


async def test_what_cannot_end_in_time_is_refused_before_it_is_decoded(
    model_dir: Path, registry: CollectorRegistry
) -> None:
    large = specimens.encoded(Image.new("RGB", (6000, 5000), "brown"), "PNG")
    settings = Settings(model_dir=model_dir, runners=2, max_queue_size=64)
    async with (
        engine(settings, registry) as pipeline,
        door(pipeline, registry) as (_, address),
        rpc.dial(address) as channel,
    ):
        stub = inference_pb2_grpc.InferenceServiceStub(channel)
        for _ in range(3):  # which tells what a picture costs
            await stub.Analyze(ask(large), timeout=600)
        async with held(pipeline.ways.steps.decode.runners):
            queue = [
                asyncio.ensure_future(stub.Analyze(ask(b"never looked at"))) for _ in range(60)
            ]
            await arrived(pipeline, 60)
            too_short_s = pipeline.forecast(Priority.INTERACTIVE).end_s / 2
            with pytest.raises(aio.AioRpcError) as refused:
                await stub.Analyze(ask(b"never looked at"), timeout=too_short_s)
            assert refused.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
            assert pushback_ms(refused.value) > 0
            assert count(registry, "refused_total", reason="deadline") == 1
            for call in queue:
                call.cancel()
            await asyncio.wait(queue)
            await arrived(pipeline, 0)
    assert count(registry, "decode_seconds_count") == 3


@pytest.mark.parametrize("time_s", [1e9, None])
async def test_a_deadline_in_years_is_as_good_as_none(stub: Stub, time_s: float | None) -> None:
    answer = await stub.Analyze(ask(specimens.lesion_jpeg()), timeout=time_s)
    assert answer.notice


@pytest.mark.parametrize("time_s", [-1, 0, 1e-6])
async def test_a_deadline_that_nobody_could_keep_is_none_of_our_faults(
    stub: Stub, time_s: float
) -> None:
    with pytest.raises(aio.AioRpcError) as late:
        await stub.Analyze(ask(specimens.lesion_jpeg()), timeout=time_s)
    assert late.value.code() in {
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
    }


async def test_a_stream_is_bulk_unless_it_says_otherwise(
    idle: Stub, pipeline: Pipeline, runners: Runners
) -> None:
    async def four(priority: pb.Priority) -> AsyncIterator[pb.AnalyzeStreamRequest]:
        for _ in range(4):
            yield pb.AnalyzeStreamRequest(request=ask(PICTURE, priority=priority))

    async with held(runners):
        answers = idle.AnalyzeStream(four(pb.PRIORITY_INTERACTIVE))
        await arrived(pipeline, 4)
    everybody = [each async for each in answers]
    assert [each.HasField("response") for each in everybody] == [True] * 4
    # Of four places the last is not for bulk.
    async with held(runners):
        answers = idle.AnalyzeStream(four(pb.PRIORITY_UNSPECIFIED))
        refused = await anext(aiter(answers))
        await arrived(pipeline, 3)
    assert refused.error.code == grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]
    assert refused.error.retry_pushback_ms > 0
    others = [each async for each in answers]
    assert [each.HasField("response") for each in others] == [True] * 3


@pytest.mark.parametrize(("priority", "refusals"), [(pb.PRIORITY_BULK, 1), (UNSAID, 0)])
async def test_a_call_is_not_bulk_unless_it_says_so(
    idle: Stub, pipeline: Pipeline, runners: Runners, priority: pb.Priority, refusals: int
) -> None:
    async with held(runners):
        request = ask(PICTURE, priority=priority)
        calls = [asyncio.ensure_future(idle.Analyze(request, timeout=600)) for _ in range(4)]
        await ended(calls, refusals)
        await arrived(pipeline, 4 - refusals)
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(each, aio.AioRpcError) for each in outcomes) == refusals


async def test_bulk_that_a_full_service_refused_has_the_next_place_and_its_answer(
    idle: Stub, pipeline: Pipeline, runners: Runners
) -> None:
    async with held(runners):
        calls = [idle.Analyze(ask(PICTURE), timeout=600) for _ in range(4)]
        waiting = [asyncio.ensure_future(call) for call in calls]
        await arrived(pipeline, 4)
        bulk = ask(PICTURE, priority=pb.PRIORITY_BULK)
        with pytest.raises(aio.AioRpcError, match="RESOURCE_EXHAUSTED"):
            await idle.Analyze(bulk, timeout=600)
        calls.pop().cancel()
        await arrived(pipeline, 3)
        with pytest.raises(aio.AioRpcError, match="RESOURCE_EXHAUSTED"):
            await idle.Analyze(ask(PICTURE), timeout=600)
        again = asyncio.ensure_future(idle.Analyze(bulk, timeout=600))
        await arrived(pipeline, 4)
    assert (await again).notice
    assert [(await each).notice != "" for each in waiting[:3]] == [True] * 3
