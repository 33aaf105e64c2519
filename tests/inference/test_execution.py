"""A row that a model cannot bear, in one batch with others, and who is answered all the same."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import numpy as np
import onnx
import pytest
from grpc import aio
from prometheus_client import CollectorRegistry

from services import rpc
from services.inference.batch import Answer, BatchError
from services.inference.cost import Cost
from services.inference.engine import engine
from services.inference.metrics import Metrics
from services.inference.onnx_model import OnnxModel
from services.inference.refusal import MemoryShortError
from services.inference.runners import Runners
from services.inference.settings import Settings
from services.inference.stage import ModelStage
from services.pb import open_inference_pb2 as oip
from services.pb import open_inference_pb2_grpc
from tests import tiny_models
from tests.inference.batching import held
from tests.inference.conftest import door

CLASSIFIER = {"model": "classifier", "version": "1"}
DARK = np.zeros((64, 64, 3), np.uint8)
GRAY = np.full((64, 64, 3), 20, np.uint8)
BRIGHT = np.full((64, 64, 3), 200, np.uint8)
BLUE = np.full((64, 64, 3), (0, 0, 255), np.uint8)


def known() -> Cost:
    """Return what batches cost where those of four pay, as was just measured."""
    cost = Cost()
    for rows in (1, 4) * 10:
        cost.learn(rows, 0.01 + 0.0001 * rows, time.monotonic())
    return cost


def count(registry: CollectorRegistry, name: str, **labels: str) -> float:
    return registry.get_sample_value(f"inference_{name}", {**CLASSIFIER, **labels}) or 0


@pytest.mark.parametrize(
    ("build", "at_fault", "alone", "failed_runs"),
    [
        (tiny_models.brittle_classifier, BRIGHT, [1], 1),
        (tiny_models.failing_classifier, BLUE, [0, 1, 2, 3], 2),
    ],
    ids=["its answer is no number", "the runtime fails on it"],
)
async def test_one_of_four_that_a_model_cannot_bear_fails_alone(
    tmp_path: Path,
    registry: CollectorRegistry,
    build: Callable[[], onnx.ModelProto],
    at_fault: np.ndarray,
    alone: list[int],
    failed_runs: int,
) -> None:
    model = OnnxModel.load(tiny_models.publish(build(), tmp_path / "1"), "classifier")
    (dark,), (gray,) = model.run([DARK]), model.run([GRAY])
    runners = Runners(1)
    with ThreadPoolExecutor(1) as threads:
        stage = ModelStage(model, runners, threads, Metrics(registry), max_batch_size=4)
        async with held(runners):
            stage.sizing.cost = known()
            rows = (DARK, at_fault, GRAY, DARK)
            asked = [asyncio.create_task(stage.submit(row)) for row in rows]
            while stage.queue_size < len(rows):  # noqa: ASYNC110 - no time passes
                await asyncio.sleep(0)
        first, failed, third, last = await asyncio.gather(*asked, return_exceptions=True)
        await stage.close()

    assert isinstance(failed, BatchError)
    for answer, expected in ((first, dark), (third, gray), (last, dark)):
        assert isinstance(answer, Answer)
        np.testing.assert_allclose(answer.output["probabilities"], expected["probabilities"], 1e-5)
    assert count(registry, "batch_size_count") == 1 + len(alone)
    assert count(registry, "batch_size_sum") == len(rows) + len(alone)
    assert count(registry, "failed_runs_total") == failed_runs
    assert count(registry, "queue_seconds_count") == len(rows) + len(alone)
    assert (stage.requests.success.count, stage.requests.fail.count) == (3, 1)


@pytest.mark.parametrize("rows", [[BLUE], [DARK, BLUE, GRAY]], ids=["alone", "with others"])
async def test_what_the_runtime_has_no_memory_for_is_refused_and_not_run_again(
    tmp_path: Path, registry: CollectorRegistry, rows: list[np.ndarray]
) -> None:
    folder = tiny_models.publish(tiny_models.greedy_classifier(), tmp_path / "1")
    model, runners = OnnxModel.load(folder, "classifier"), Runners(1)
    with ThreadPoolExecutor(1) as threads:
        stage = ModelStage(model, runners, threads, Metrics(registry), max_batch_size=4)
        async with held(runners):
            stage.sizing.cost = known()
            asked = [asyncio.create_task(stage.submit(row)) for row in rows]
            while stage.queue_size < len(rows):  # noqa: ASYNC110 - no time passes
                await asyncio.sleep(0)
        ends = await asyncio.gather(*asked, return_exceptions=True)
        await stage.close()
    assert [type(each) for each in ends] == [MemoryShortError] * len(rows)
    assert count(registry, "batch_size_count") == count(registry, "failed_runs_total") == 1


async def test_at_the_door_one_tensor_of_four_that_a_model_cannot_bear_is_an_internal_error(
    tmp_path: Path, registry: CollectorRegistry
) -> None:
    tiny_models.write_models(tmp_path)
    tiny_models.publish(tiny_models.brittle_classifier(), tmp_path / "classifier" / "1")

    def ask(row: np.ndarray) -> oip.ModelInferRequest:
        image = oip.ModelInferRequest.InferInputTensor(
            name="image", datatype="UINT8", shape=[1, *row.shape]
        )
        raw = [row.tobytes()]
        return oip.ModelInferRequest(
            model_name="classifier", inputs=[image], raw_input_contents=raw
        )

    async with (
        engine(Settings(model_dir=tmp_path, runners=1), registry) as pipeline,
        door(pipeline, registry) as (_, address),
        rpc.dial(address) as channel,
    ):
        stub = open_inference_pb2_grpc.GRPCInferenceServiceStub(channel)
        stage = pipeline.classifier.lineup.stable.stage
        async with held(stage.runners):
            asked = [
                asyncio.ensure_future(stub.ModelInfer(ask(row), timeout=60))
                for row in (DARK, BRIGHT, DARK, DARK)
            ]
            while stage.queue_size < 4:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            stage.sizing.cost = known()
        ends = await asyncio.gather(*asked, return_exceptions=True)
    failed = ends.pop(1)
    assert isinstance(failed, aio.AioRpcError)
    assert failed.code() == grpc.StatusCode.INTERNAL
    assert [type(each) for each in ends] == [oip.ModelInferResponse] * 3
    assert count(registry, "model_pictures_total", result="answered") == 3
    assert count(registry, "model_pictures_total", result="failed") == 1
    assert count(registry, "batch_size_sum") == 5
