"""Tensors under load: what holds for pictures holds for them, they share admission and lines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import pytest
from grpc import aio
from prometheus_client import CollectorRegistry

from services import rpc
from services.inference.engine import engine
from services.inference.pipeline import Pipeline
from services.inference.priority import Priority
from services.inference.runners import Runners
from services.inference.settings import Settings
from services.pb import inference_pb2, inference_pb2_grpc, open_inference_pb2_grpc
from services.pb import open_inference_pb2 as pb
from tests import specimens, tiny_models
from tests.inference.batching import held
from tests.inference.conftest import door, serving

if TYPE_CHECKING:  # the asynchronous stub is a type only
    from services.pb.open_inference_pb2_grpc import GRPCInferenceServiceAsyncStub as Stub

ROW = bytes(tiny_models.SIZE * tiny_models.SIZE * 3)


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    """A segmenter that takes its time, so that there is a line to stand in."""
    tiny_models.publish(tiny_models.slow_segmenter(), tmp_path / "segmenter" / "1")
    tiny_models.publish(tiny_models.classifier(), tmp_path / "classifier" / "1")
    return tmp_path


@pytest.fixture
async def pipeline(model_dir: Path, registry: CollectorRegistry) -> AsyncIterator[Pipeline]:
    """Eight places, and up to four rows a request."""
    settings = Settings(model_dir=model_dir, runners=1, max_queue_size=7, max_batch_size=4)
    async with engine(settings, registry) as built:
        yield built


@pytest.fixture
def runners(pipeline: Pipeline) -> Runners:
    return pipeline.segmenter.lineup.stable.stage.runners


@pytest.fixture
async def channel(pipeline: Pipeline, registry: CollectorRegistry) -> AsyncIterator[aio.Channel]:
    async with door(pipeline, registry) as (_, address), rpc.dial(address) as dialled:
        yield dialled


@pytest.fixture
def stub(channel: aio.Channel) -> Stub:
    return open_inference_pb2_grpc.GRPCInferenceServiceStub(channel)


def ask(rows: int = 1, model: str = "segmenter", **parameters: int) -> pb.ModelInferRequest:
    size = tiny_models.SIZE
    return pb.ModelInferRequest(
        model_name=model,
        inputs=[
            pb.ModelInferRequest.InferInputTensor(
                name="image", datatype="UINT8", shape=[rows, size, size, 3]
            )
        ],
        parameters={key: pb.InferParameter(int64_param=each) for key, each in parameters.items()},
        raw_input_contents=[ROW * rows],
    )


@pytest.fixture
def in_work(registry: CollectorRegistry) -> Callable[[], float]:
    return lambda: registry.get_sample_value("inference_pictures_in_work") or 0


def refused(outcomes: Sequence[object]) -> list[aio.AioRpcError]:
    errors = [each for each in outcomes if isinstance(each, aio.AioRpcError)]
    assert {error.code() for error in errors} <= {grpc.StatusCode.RESOURCE_EXHAUSTED}
    return errors


async def until(happened: Callable[[], bool]) -> None:
    while not happened():  # noqa: ASYNC110
        await asyncio.sleep(0.001)


async def test_rows_take_places_as_pictures_do_and_too_many_are_told_when_to_come_back(
    stub: Stub, registry: CollectorRegistry, runners: Runners, in_work: Callable[[], float]
) -> None:
    # Eight places: two requests of four rows, and no third.
    async with held(runners):
        inside = [asyncio.ensure_future(stub.ModelInfer(ask(4), timeout=60)) for _ in range(2)]
        await until(lambda: in_work() == 8)
        calls = [stub.ModelInfer(ask(4), timeout=60) for _ in range(4)]
        errors = refused(await asyncio.gather(*calls, return_exceptions=True))
    assert len(errors) == 4
    for error in errors:
        assert int(dict(error.trailing_metadata() or ())["grpc-retry-pushback-ms"]) > 0
    reason = {"reason": "queue_full"}
    assert registry.get_sample_value("inference_refused_total", reason) == 4
    assert [each.model_version for each in await asyncio.gather(*inside)] == ["1", "1"]


@pytest.mark.parametrize(("places", "most"), [(2, 1), (4, 3), (6, 4)])
async def test_a_request_has_at_most_as_many_rows_as_find_places_on_an_idle_service(
    model_dir: Path, registry: CollectorRegistry, places: int, most: int
) -> None:
    settings = Settings(model_dir=model_dir, runners=1, max_queue_size=places - 1, max_batch_size=4)
    async with serving(settings, registry) as channel:
        stub = open_inference_pb2_grpc.GRPCInferenceServiceStub(channel)
        config = (await stub.ModelConfig(pb.ModelConfigRequest(name="classifier"))).config
        assert config.max_batch_size == most
        for priority in (1, 2):
            answer = await stub.ModelInfer(ask(most, "classifier", priority=priority), timeout=60)
            assert answer.outputs[0].shape[0] == most
        with pytest.raises(aio.AioRpcError, match=f"1 to {most} rows"):
            await stub.ModelInfer(ask(most + 1, "classifier"), timeout=60)


async def test_pictures_and_tensors_share_the_places(
    stub: Stub, channel: aio.Channel, runners: Runners, in_work: Callable[[], float]
) -> None:
    picture = inference_pb2.AnalyzeRequest(image=specimens.lesion_jpeg())
    typed = inference_pb2_grpc.InferenceServiceStub(channel)
    async with held(runners):
        calls = [asyncio.ensure_future(stub.ModelInfer(ask(4), timeout=60)) for _ in range(2)]
        await until(lambda: in_work() == 8)
        with pytest.raises(aio.AioRpcError) as full:
            await typed.Analyze(picture, timeout=60)
    assert full.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    await asyncio.gather(*calls)


@pytest.mark.parametrize("kind", ["raw", "typed"])
async def test_elements_are_not_looked_at_before_there_is_a_place_for_them(
    model_dir: Path, registry: CollectorRegistry, kind: str
) -> None:
    damaged = ask()
    del damaged.raw_input_contents[:]
    if kind == "raw":
        damaged.raw_input_contents.append(ROW[1:])
    else:
        damaged.inputs[0].contents.uint_contents.extend(ROW[1:])
    async with (
        engine(Settings(model_dir=model_dir, runners=1), registry) as pipeline,
        door(pipeline, registry) as (_, address),
        rpc.dial(address) as channel,
    ):
        stub = open_inference_pb2_grpc.GRPCInferenceServiceStub(channel)
        admission = pipeline.admission
        outlook = partial(pipeline.forecast, Priority.INTERACTIVE)
        with admission.place(outlook, pictures=admission.places):
            crowded = await asyncio.gather(stub.ModelInfer(damaged), return_exceptions=True)
        assert refused(crowded)
        with pytest.raises(aio.AioRpcError, match="INVALID_ARGUMENT"):
            await stub.ModelInfer(damaged)
        assert not admission.in_work


@pytest.mark.parametrize(("priority", "refusals"), [(2, 2), (1, 0)])
async def test_bulk_leaves_places_for_those_who_wait_for_an_answer(
    stub: Stub, runners: Runners, in_work: Callable[[], float], priority: int, refusals: int
) -> None:
    async with held(runners):
        request = ask(priority=priority)
        calls = [asyncio.ensure_future(stub.ModelInfer(request, timeout=60)) for _ in range(8)]
        await until(lambda: sum(each.done() for each in calls) == refusals)
        await until(lambda: in_work() == 8 - refusals)
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert len(refused(outcomes)) == refusals


async def test_pictures_that_are_still_being_decoded_count_where_a_row_could_end_in_time(
    stub: Stub, channel: aio.Channel, pipeline: Pipeline, in_work: Callable[[], float]
) -> None:
    picture = inference_pb2.AnalyzeRequest(image=specimens.lesion_jpeg())
    typed = inference_pb2_grpc.InferenceServiceStub(channel)
    stage = pipeline.segmenter.lineup.stable.stage
    async with held(stage.runners):
        call = asyncio.ensure_future(typed.Analyze(picture, timeout=600))
        await until(lambda: in_work() == 1)
        for rows in (1, 4) * 10:  # ten seconds a row: the picture will have its own first
            stage.sizing.cost.learn(rows, 10.0 * rows, asyncio.get_running_loop().time())
        with pytest.raises(aio.AioRpcError, match="RESOURCE_EXHAUSTED"):
            await stub.ModelInfer(ask(timeout=15_000_000), timeout=600)
        inside = asyncio.ensure_future(stub.ModelInfer(ask(timeout=60_000_000), timeout=600))
        await until(lambda: in_work() == 2)
    assert (await inside).model_version == (await call).models[0].version == "1"


@pytest.mark.parametrize("time_us", [1, 1000])
async def test_a_timeout_among_the_parameters_is_a_deadline(stub: Stub, time_us: int) -> None:
    with pytest.raises(aio.AioRpcError) as late:
        await stub.ModelInfer(ask(timeout=time_us), timeout=60)
    assert late.value.code() in {
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
    }
    assert (await stub.ModelInfer(ask(timeout=60_000_000), timeout=60)).model_version == "1"


async def test_a_caller_who_leaves_is_not_run_and_holds_no_place(
    stub: Stub, in_work: Callable[[], float], runners: Runners, registry: CollectorRegistry
) -> None:
    async with held(runners):
        leaving = [asyncio.ensure_future(stub.ModelInfer(ask(), timeout=60)) for _ in range(4)]
        await until(lambda: in_work() == 4)
        for call in leaving:
            call.cancel()
        await asyncio.gather(*leaving, return_exceptions=True)
        await until(lambda: not in_work())
    assert registry.get_sample_value("inference_dropped_total", {"reason": "cancelled"}) == 4
    segmenter = {"model": "segmenter", "version": "1"}
    assert registry.get_sample_value("inference_run_seconds_count", segmenter) == 0
    assert (await stub.ModelInfer(ask(), timeout=60)).model_version == "1"


async def test_a_model_that_fails_is_our_fault_and_the_next_request_is_answered(
    tmp_path: Path, registry: CollectorRegistry
) -> None:
    tiny_models.publish(tiny_models.segmenter(), tmp_path / "segmenter" / "1")
    tiny_models.publish(tiny_models.brittle_classifier(), tmp_path / "classifier" / "1")
    async with serving(Settings(model_dir=tmp_path), registry) as channel:
        stub = open_inference_pb2_grpc.GRPCInferenceServiceStub(channel)
        bright = ask(model="classifier")
        bright.raw_input_contents[0] = b"\xff" * len(ROW)
        with pytest.raises(aio.AioRpcError) as failed:
            await stub.ModelInfer(bright, timeout=60)
        assert failed.value.code() == grpc.StatusCode.INTERNAL
        said = await stub.ModelStatistics(pb.ModelStatisticsRequest(name="classifier"))
        assert said.model_stats[0].inference_stats.fail.count == 1
        assert (await stub.ModelInfer(ask(model="classifier"), timeout=60)).model_version == "1"


async def test_a_request_without_a_name_or_with_a_very_long_one_is_answered_with_a_sentence(
    stub: Stub,
) -> None:
    for name in ("", "é" * 1_000_000):
        with pytest.raises(aio.AioRpcError) as unknown:
            await stub.ModelInfer(ask(model=name), timeout=60)
        assert unknown.value.code() == grpc.StatusCode.NOT_FOUND
        assert (unknown.value.details() or "").startswith("there are segmenter 1, classifier 1;")


async def test_typed_elements_are_answered_as_raw_ones_are(stub: Stub) -> None:
    typed = ask(model="classifier")
    del typed.raw_input_contents[:]
    typed.inputs[0].contents.uint_contents.extend(ROW)
    answers = [await stub.ModelInfer(each, timeout=60) for each in (typed, ask(model="classifier"))]
    assert answers[0].raw_output_contents == answers[1].raw_output_contents


async def test_an_error_in_a_stream_says_what_its_status_would_have_been(
    stub: Stub, runners: Runners
) -> None:
    async def crowd() -> AsyncIterator[pb.ModelInferRequest]:
        for number in range(4):
            request = ask(4)
            request.id = str(number)
            yield request

    async with held(runners):
        answers = stub.ModelStreamInfer(crowd(), timeout=60)
        failed = [await anext(aiter(answers)) for _ in range(2)]
    others = [each async for each in answers]
    assert {each.infer_response.id for each in (*failed, *others)} == set("0123")
    assert not any(each.error_message for each in others)
    for each in (*failed, *others):  # by which Triton's clients know that no more comes
        assert each.infer_response.parameters["triton_final_response"].bool_param
    for each in failed:
        assert each.error_message
        said = each.infer_response.parameters
        assert said["status"].string_param == "RESOURCE_EXHAUSTED"
        assert said["reason"].string_param == "queue_full"
        assert said["retry_pushback_ms"].int64_param > 0
