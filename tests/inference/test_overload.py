"""More is asked than can be done, over real sockets: who is turned away, and what is counted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import pytest
from grpc import aio
from prometheus_client import CollectorRegistry

from services import rpc
from services.inference.batcher import Batcher
from services.inference.cost import Cost
from services.inference.engine import engine
from services.inference.pipeline import Pipeline
from services.inference.runners import Runners
from services.inference.server import SERVICES, server_of
from services.inference.settings import Settings
from services.pb import inference_pb2 as pb
from services.pb import inference_pb2_grpc
from tests import specimens
from tests.inference.asking import ask
from tests.inference.batching import Gate
from tests.inference.conftest import serving
from tests.inference.hardware import Tally

if TYPE_CHECKING:  # the asynchronous stub is a type only
    from services.pb.inference_pb2_grpc import InferenceServiceAsyncStub as Stub


@asynccontextmanager
async def held(runners: Runners) -> AsyncIterator[None]:
    """Let nobody else run, as when all runners are at work for long."""
    gate = Gate()
    blocker = Batcher(gate.run, runners, Tally(), max_batch_size=1)
    running = [asyncio.create_task(blocker.submit(0)) for _ in range(runners.count)]
    for _ in running:
        await gate.began.acquire()
    yield
    gate.let_through(runners.count)
    await asyncio.gather(*running)
    await blocker.close()


@pytest.fixture
async def pipeline(model_dir: Path, registry: CollectorRegistry) -> AsyncIterator[Pipeline]:
    settings = Settings(model_dir=model_dir, runners=2, max_queue_size=2)
    async with engine(settings, registry) as built:
        yield built


@pytest.fixture
async def busy(pipeline: Pipeline, registry: CollectorRegistry) -> AsyncIterator[Stub]:
    """A service that decodes nothing until the test ends, and has places for four pictures."""
    server = server_of(pipeline, registry, stream_width=4)
    port = await server.start("127.0.0.1", 0, SERVICES)
    await server.announce_ready()
    async with rpc.dial(f"127.0.0.1:{port}") as channel, held(pipeline.ways.steps.decode.runners):
        yield inference_pb2_grpc.InferenceServiceStub(channel)
    await server.stop(grace_s=5)


async def arrived(pipeline: Pipeline, pictures: int) -> None:
    while sum(line.queue_size for line in pipeline.ways.first) != pictures:  # noqa: ASYNC110
        await asyncio.sleep(0.001)


def count(registry: CollectorRegistry, name: str, **labels: str) -> float:
    return registry.get_sample_value(f"inference_{name}", labels) or 0


def pushback_ms(error: aio.AioRpcError) -> int:
    return int(dict(error.trailing_metadata() or ())["grpc-retry-pushback-ms"])


async def test_what_expires_while_it_waits_is_counted_and_never_decoded(
    busy: Stub, pipeline: Pipeline, registry: CollectorRegistry
) -> None:
    with pytest.raises(aio.AioRpcError) as late:
        await busy.Analyze(ask(specimens.lesion_jpeg()), timeout=0.5)
    assert late.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    await arrived(pipeline, 0)
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
        line.sizing.cost.learn(1, 8.0, time.monotonic())
    calls = [busy.Analyze(ask(specimens.lesion_jpeg()), timeout=600) for _ in range(3)]
    waiting = [asyncio.ensure_future(call) for call in calls]
    await arrived(pipeline, 3)
    with pytest.raises(aio.AioRpcError) as refused:
        await busy.Analyze(ask(b"never looked at"), timeout=5)
    assert refused.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    # It would wait for those ahead, run itself, and is given two runs more: one for chance, and
    # one that must be left when it begins.
    rounds = 3 // pipeline.ways.steps.decode.runners.count
    expected_s = 8 * rounds + 8 + (16 if rounds else 0) - 5
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
    assert (await stub.Analyze(ask(specimens.lesion_jpeg()), timeout=10)).notice


async def test_a_service_with_all_places_taken_refuses_with_a_pushback(
    model_dir: Path, registry: CollectorRegistry
) -> None:
    settings = Settings(model_dir=model_dir, runners=1, max_queue_size=1)
    async with serving(settings, registry) as channel:
        stub = inference_pb2_grpc.InferenceServiceStub(channel)
        calls = [stub.Analyze(ask(specimens.lesion_jpeg()), timeout=30) for _ in range(12)]
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
    refused = [each for each in outcomes if isinstance(each, aio.AioRpcError)]
    assert 0 < len(refused) < 12
    for error in refused:
        assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert int(dict(error.trailing_metadata() or ())["grpc-retry-pushback-ms"]) > 0


async def test_what_cannot_end_in_time_is_refused_before_it_is_decoded(
    stub: Stub, registry: CollectorRegistry
) -> None:
    large = specimens.lesion_jpeg((2400, 1800))
    began = time.monotonic()
    for _ in range(3):
        await stub.Analyze(ask(large), timeout=60)
    one_s = (time.monotonic() - began) / 3
    queue = [asyncio.ensure_future(stub.Analyze(ask(large), timeout=60)) for _ in range(24)]
    # The first may be answered before the last has come in: not all need be in work at once.
    while (registry.get_sample_value("inference_pictures_in_work") or 0) < 16:  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    with pytest.raises(aio.AioRpcError) as refused:
        # Eight times one picture's time or more is ahead, two at a time.
        await stub.Analyze(ask(b"never looked at"), timeout=3 * one_s)
    assert refused.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert int(dict(refused.value.trailing_metadata() or ())["grpc-retry-pushback-ms"]) > 0
    assert registry.get_sample_value("inference_refused_total", {"reason": "deadline"}) == 1
    await asyncio.gather(*queue)
    assert registry.get_sample_value("inference_decode_seconds_count") == 27


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


async def test_a_stream_is_bulk_and_a_call_is_not_unless_they_say_otherwise(
    model_dir: Path, registry: CollectorRegistry
) -> None:
    picture = specimens.lesion_jpeg((2400, 1800))
    # Four places, and the last is not for bulk.
    settings = Settings(model_dir=model_dir, runners=1, max_queue_size=3)

    async def four(priority: pb.Priority) -> AsyncIterator[pb.AnalyzeStreamRequest]:
        for _ in range(4):
            yield pb.AnalyzeStreamRequest(request=ask(picture, priority=priority))

    async with serving(settings, registry) as channel:
        stub = inference_pb2_grpc.InferenceServiceStub(channel)
        answers = [each async for each in stub.AnalyzeStream(four(pb.PRIORITY_UNSPECIFIED))]
        (refused,) = [each.error for each in answers if each.HasField("error")]
        assert refused.code == grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]
        assert refused.retry_pushback_ms > 0
        answers = [each async for each in stub.AnalyzeStream(four(pb.PRIORITY_INTERACTIVE))]
        assert all(each.HasField("response") for each in answers)
        bulk = ask(picture, priority=pb.PRIORITY_BULK)
        for request, refusals in ((bulk, 1), (ask(picture), 0)):
            calls = [stub.Analyze(request, timeout=60) for _ in range(4)]
            outcomes = await asyncio.gather(*calls, return_exceptions=True)
            assert sum(isinstance(each, aio.AioRpcError) for each in outcomes) == refusals
