"""The deadline of a call rules, whichever protocol and kind of call a picture came by."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc import aio
from prometheus_client import CollectorRegistry

from services import rpc
from services.inference import engine as engine_module
from services.inference.cost import Cost
from services.inference.engine import engine
from services.inference.pipeline import Pipeline
from services.inference.settings import Settings
from services.inference.stage import Stage
from services.pb import inference_pb2 as pb
from services.pb import inference_pb2_grpc, open_inference_pb2_grpc
from services.pb import open_inference_pb2 as oip
from tests import specimens, tiny_models
from tests.inference.batching import held
from tests.inference.conftest import door

RUN_S = 100.0
PICTURE = pb.AnalyzeRequest(image=specimens.lesion_jpeg((300, 200)))
SIDE = tiny_models.SIZE
TENSOR = oip.ModelInferRequest(
    model_name="classifier",
    inputs=[
        oip.ModelInferRequest.InferInputTensor(
            name="image", datatype="UINT8", shape=[1, SIDE, SIDE, 3]
        )
    ],
    raw_input_contents=[bytes(SIDE * SIDE * 3)],
)


Refused = tuple[str, int]
"""The word for the reason, and the milliseconds after which to come back."""

ANSWERED = ("", 0)


async def analyze(channel: aio.Channel, time_s: float) -> Refused:
    stub = inference_pb2_grpc.InferenceServiceStub(channel)
    return await said_of(stub.Analyze(PICTURE, timeout=time_s))


async def analyze_stream(channel: aio.Channel, time_s: float) -> Refused:
    async def one() -> AsyncIterator[pb.AnalyzeStreamRequest]:
        yield pb.AnalyzeStreamRequest(request=PICTURE)

    stub = inference_pb2_grpc.InferenceServiceStub(channel)
    (answer,) = [each async for each in stub.AnalyzeStream(one(), timeout=time_s)]
    return answer.error.reason, answer.error.retry_pushback_ms


async def infer(channel: aio.Channel, time_s: float) -> Refused:
    stub = open_inference_pb2_grpc.GRPCInferenceServiceStub(channel)
    return await said_of(stub.ModelInfer(TENSOR, timeout=time_s))


async def infer_stream(channel: aio.Channel, time_s: float) -> Refused:
    async def one() -> AsyncIterator[oip.ModelInferRequest]:
        yield TENSOR

    stub = open_inference_pb2_grpc.GRPCInferenceServiceStub(channel)
    (answer,) = [each async for each in stub.ModelStreamInfer(one(), timeout=time_s)]
    said = answer.infer_response.parameters
    return said["reason"].string_param, said["retry_pushback_ms"].int64_param


async def said_of(call: Awaitable[object]) -> Refused:
    (outcome,) = await asyncio.gather(call, return_exceptions=True)
    if not isinstance(outcome, aio.AioRpcError):
        return ANSWERED
    assert outcome.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    trailers = dict(outcome.trailing_metadata() or ())
    return str(trailers["dermserve-reason"]), int(trailers["grpc-retry-pushback-ms"])


@pytest.mark.parametrize("ask", [analyze, analyze_stream, infer, infer_stream])
async def test_what_cannot_end_before_the_deadline_of_its_call_is_refused_at_once(
    model_dir: Path,
    registry: CollectorRegistry,
    ask: Callable[[aio.Channel, float], Awaitable[Refused]],
) -> None:
    async with served(model_dir, registry) as (pipeline, channel):
        teach(pipeline.classifier.lineup.stable.stage)
        loop = asyncio.get_running_loop()
        began = loop.time()
        reason, pushback_ms = await ask(channel, 0.6 * RUN_S)
        assert loop.time() - began < 0.3 * RUN_S
        assert reason == "deadline"
        assert pushback_ms == pytest.approx(1000 * 0.4 * RUN_S, rel=0.2)
        refused = registry.get_sample_value("inference_refused_total", {"reason": "deadline"})
        assert refused == 1
        assert await ask(channel, 3 * RUN_S) == ANSWERED


@pytest.mark.parametrize("runners", [1, 2], ids=["step by step", "in one go"])
async def test_bulk_is_refused_for_what_comes_before_it_and_interactive_pictures_are_not(
    model_dir: Path, registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch, runners: int
) -> None:
    monkeypatch.setattr(engine_module, "available_cores", lambda: 2)
    bulk = pb.AnalyzeRequest(
        image=PICTURE.image, options=pb.AnalyzeOptions(priority=pb.PRIORITY_BULK)
    )
    async with served(model_dir, registry, runners) as (pipeline, channel):
        stub = inference_pb2_grpc.InferenceServiceStub(channel)
        async with held(pipeline.ways.steps.decode.runners):
            calls = [
                asyncio.ensure_future(stub.Analyze(bulk, timeout=100 * RUN_S)) for _ in range(6)
            ]
            await in_work(pipeline, len(calls))
            teach(pipeline.ways.steps.decode)
            reason, pushback_ms = await said_of(stub.Analyze(bulk, timeout=4 * RUN_S))
            assert reason == "deadline"
            assert pushback_ms > 1000 * RUN_S
            calls.append(asyncio.ensure_future(stub.Analyze(PICTURE, timeout=4 * RUN_S)))
            await in_work(pipeline, len(calls))
        assert all([(await call).notice for call in calls])


async def in_work(pipeline: Pipeline, pictures: int) -> None:
    while pipeline.admission.in_work < pictures:  # noqa: ASYNC110
        await asyncio.sleep(0.001)


@asynccontextmanager
async def served(
    model_dir: Path, registry: CollectorRegistry, runners: int = 1
) -> AsyncIterator[tuple[Pipeline, aio.Channel]]:
    async with (
        engine(Settings(model_dir=model_dir, runners=runners), registry) as pipeline,
        door(pipeline, registry) as (_, address),
        rpc.dial(address) as channel,
    ):
        yield pipeline, channel


def teach(stage: Stage[Any, Any]) -> None:
    """Let a step have cost a hundred seconds lately."""
    stage.sizing.cost = Cost()
    for rows in (1, 4) * 10:
        stage.sizing.cost.learn(rows, RUN_S * rows, asyncio.get_running_loop().time())
