"""A graphics card that is lost while pictures are in work, in front of a real processor."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client import CollectorRegistry, generate_latest

from services import telemetry
from services.inference import engine, model_file
from services.inference.backends.backend import CPU, CUDA, Backend, Identity, Ran, Tensor
from services.inference.backends.candidate import Candidate
from services.inference.backends.election import Election
from services.inference.backends.failover import Failover
from services.inference.backends.layout import Layout
from services.inference.backends.loss import Loss
from services.inference.backends.onnxruntime_cpu import OnnxRuntimeCpu
from services.inference.batch import BatchError
from services.inference.metrics import Metrics
from services.inference.model_file import ModelFile, ModelRunError
from services.inference.onnx_model import OnnxModel
from services.inference.runners import Runners
from services.inference.settings import Settings
from services.inference.stage import ModelStage
from services.pb import inference_pb2 as pb
from services.pb import inference_pb2_grpc, open_inference_pb2_grpc
from services.pb import open_inference_pb2 as oip
from tests import specimens, tiny_models
from tests.collector import collecting
from tests.inference.conftest import serving

if TYPE_CHECKING:  # the asynchronous stub is a type only
    from services.pb.inference_pb2_grpc import InferenceServiceAsyncStub as Stub

DARK = np.zeros((64, 64, 3), np.uint8)
BRIGHT = np.full((64, 64, 3), 200, np.uint8)
WRONG = np.zeros((32, 32, 3), np.uint8)
TENSOR = oip.ModelInferRequest(
    model_name="classifier",
    inputs=[
        oip.ModelInferRequest.InferInputTensor(
            name="image", datatype="UINT8", shape=[1, *DARK.shape]
        )
    ],
    raw_input_contents=[DARK.tobytes()],
)


class LostCard(OnnxRuntimeCpu):
    """Computes as a card would until it is lost; then every run fails as CUDA's do."""

    on_device = True

    def __init__(self, file: ModelFile, layout: Layout, lost: Callable[[], bool]) -> None:
        super().__init__(file, layout)
        self.identity = Identity(CUDA, file.precision, file.sha256)
        self._lost = lost

    def run(self, batch: Tensor) -> Ran:
        if self._lost():
            raise RuntimeError("CUDA failure 46: all CUDA-capable devices are busy or unavailable")
        return super().run(batch)


class Card:
    """Whether there is one still, and what was tried on it."""

    def __init__(self) -> None:
        self.is_lost = False
        self.tried = 0

    def lost(self) -> bool:
        self.tried += 1
        return self.is_lost

    def candidate(self) -> Candidate:
        return Candidate(
            "cuda", "fp32", lambda file, how: LostCard(file, how, self.lost), on_device=True
        )


class SlowCard(Card):
    """One on which the first run goes on until it is told to end."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.go_on = Event(), Event()

    def lost(self) -> bool:
        if self.begun.is_set():
            return super().lost()
        self.begun.set()
        assert self.go_on.wait(60)
        return False


@pytest.fixture
def card() -> Card:
    return Card()


def model_on(card: Card, tmp_path: Path) -> OnnxModel:
    folder = tiny_models.publish(tiny_models.brittle_classifier(), tmp_path / "1")

    def elect(file: ModelFile) -> Backend:
        return Failover(LostCard(file, Layout(), card.lost), OnnxRuntimeCpu(file), Loss())

    return OnnxModel.load(folder, "classifier", elect=elect)


def test_rows_in_hand_are_run_again_on_the_processor_and_say_so(tmp_path: Path, card: Card) -> None:
    model = model_on(card, tmp_path)
    (before,) = model.run([DARK])
    card.is_lost = True
    (after,) = model.run([DARK])
    assert before.provenance.execution_provider == "CUDAExecutionProvider"
    assert after.provenance.execution_provider == "CPUExecutionProvider"
    np.testing.assert_array_equal(after["probabilities"], before["probabilities"])


def test_a_card_that_fails_now_and_then_is_tried_again(tmp_path: Path, card: Card) -> None:
    model = model_on(card, tmp_path)
    for _ in range(4):
        card.is_lost = True
        model.run([DARK])
        card.is_lost = False
        (answer,) = model.run([DARK])
        assert answer.provenance.execution_provider == "CUDAExecutionProvider"


def test_a_card_that_fails_three_times_in_a_row_is_given_up(
    tmp_path: Path, card: Card, logged: pytest.LogCaptureFixture
) -> None:
    model = model_on(card, tmp_path)
    card.is_lost = True
    for _ in range(5):
        model.run([DARK])
    assert card.tried == 3
    assert model.provenance.execution_provider == "CPUExecutionProvider"
    said = [record.msg for record in logged.records if isinstance(record.msg, dict)]
    assert [line["given_up"] for line in said] == [False, False, True]
    assert all("CUDA failure 46" in line["reason"] for line in said)


def test_a_run_that_began_on_the_card_before_it_was_given_up_brings_it_not_back(
    tmp_path: Path,
) -> None:
    card = SlowCard()
    model = model_on(card, tmp_path)
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(model.run, [DARK])
        assert card.begun.wait(60)
        card.is_lost = True
        for _ in range(3):
            model.run([DARK])
        card.is_lost = False
        card.go_on.set()
        (before,) = running.result()
    (after,) = model.run([DARK])
    assert before.provenance.execution_provider == "CUDAExecutionProvider"
    assert after.provenance.execution_provider == "CPUExecutionProvider"


def test_what_has_given_up_its_card_is_on_a_card_no_more(tmp_path: Path, card: Card) -> None:
    model = model_on(card, tmp_path)
    card.is_lost = True
    told = [model.on_device]
    for _ in range(3):
        model.run([DARK])
        told.append(model.on_device)
    assert told == [True, True, True, False]


@pytest.mark.parametrize("at_fault", [BRIGHT, WRONG], ids=["not a number", "another size"])
def test_no_picture_takes_the_card_away_from_others(
    tmp_path: Path, card: Card, at_fault: np.ndarray
) -> None:
    model = model_on(card, tmp_path)
    for _ in range(5):
        with pytest.raises(ModelRunError):
            model.run([at_fault])
    (answer,) = model.run([DARK])
    assert answer.provenance.execution_provider == "CUDAExecutionProvider"


def test_an_answer_that_only_the_card_makes_no_number_of_is_made_again(tmp_path: Path) -> None:
    class Overflowing(OnnxRuntimeCpu):
        def run(self, batch: Tensor) -> Ran:
            ran = super().run(batch)
            return Ran([result * np.float32(np.inf) for result in ran.results], ran.by)

    folder = tiny_models.publish(tiny_models.classifier(), tmp_path / "1")
    file = model_file.read(folder / "model.onnx")
    ran = Failover(Overflowing(file), OnnxRuntimeCpu(file), Loss()).run(BRIGHT[None])
    assert all(np.isfinite(result).all() for result in ran.results)


async def test_a_trace_names_what_ran_a_row_and_not_what_was_chosen_once(
    tmp_path: Path, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = model_on(card, tmp_path)
    with collecting() as collector, ThreadPoolExecutor(1) as threads:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.address)
        metrics = Metrics(CollectorRegistry())
        stage = ModelStage(model, Runners(1), threads, metrics, max_batch_size=1)
        with telemetry.tracing("inference") as traces:
            assert traces is not None
            telemetry.enter_span(traces.request("GET", None, {}))
            await stage.submit(DARK)
            card.is_lost = True
            await stage.submit(DARK)
            with pytest.raises(BatchError):
                await stage.submit(WRONG)
            await stage.close()
    runs = [seen.attributes for seen in collector.spans if seen.span.name == "run"]
    assert [run.get("dermserve.execution_provider") for run in runs] == [CUDA, CPU, None]


@pytest.fixture
def elected(card: Card, monkeypatch: pytest.MonkeyPatch) -> Card:
    """The card that every service of the test finds."""

    def with_card(*arguments: object, **rules: object) -> Election:
        return Election(*arguments, **{**rules, "candidates": [card.candidate()]})  # type: ignore[arg-type]

    monkeypatch.setattr(engine, "Election", with_card)
    return card


async def test_tensors_are_told_what_ran_them_and_not_what_would_run_the_next(
    model_dir: Path, registry: CollectorRegistry, elected: Card
) -> None:
    settings = Settings(model_dir=model_dir, runners=1, execution_provider="auto", precision="auto")
    async with serving(settings, registry) as channel:
        stub = open_inference_pb2_grpc.GRPCInferenceServiceStub(channel)
        for is_lost, provider in ((False, "CUDA"), (True, "CPU"), (False, "CUDA")):
            elected.is_lost = is_lost
            said = (await stub.ModelInfer(TENSOR, timeout=60)).parameters
            assert said["execution_provider"].string_param == f"{provider}ExecutionProvider"


async def test_the_configuration_names_the_hardware_that_runs_now(
    model_dir: Path, registry: CollectorRegistry, elected: Card
) -> None:
    kinds = oip.ModelInstanceGroup
    settings = Settings(model_dir=model_dir, runners=1, execution_provider="auto", precision="auto")
    async with serving(settings, registry) as channel:
        stub = open_inference_pb2_grpc.GRPCInferenceServiceStub(channel)
        for is_lost, kind in ((False, kinds.KIND_GPU), (True, kinds.KIND_CPU)):
            elected.is_lost = is_lost
            for _ in range(3):
                await stub.ModelInfer(TENSOR, timeout=60)
            configured = await stub.ModelConfig(oip.ModelConfigRequest(name="classifier"))
            assert configured.config.instance_group[0].kind == kind


async def test_a_service_that_loses_its_card_answers_everybody_and_shows_it(
    model_dir: Path, registry: CollectorRegistry, elected: Card
) -> None:
    settings = Settings(model_dir=model_dir, runners=1, execution_provider="auto", precision="auto")
    async with serving(settings, registry) as channel:
        stub = inference_pb2_grpc.InferenceServiceStub(channel)
        assert await providers_of(stub) == {"CUDAExecutionProvider"}
        elected.is_lost = True
        answered = await asyncio.gather(*(providers_of(stub) for _ in range(12)))
        assert answered == [{"CPUExecutionProvider"}] * 12
        for _ in range(3):  # those together may have shared a batch; it takes three to give up
            assert await providers_of(stub) == {"CPUExecutionProvider"}
        health = await health_pb2_grpc.HealthStub(channel).Check(
            health_pb2.HealthCheckRequest(service=""), timeout=60
        )
        assert health.status == health_pb2.HealthCheckResponse.SERVING
        listed = await stub.ListModels(pb.ListModelsRequest(), timeout=60)
    assert {model.execution_provider for model in listed.models} == {"CPUExecutionProvider"}
    shown = generate_latest(registry).decode()
    assert re.search(r'inference_failovers_total\{model="classifier"\} 3\.0', shown)
    assert 'execution_provider="CUDAExecutionProvider"' not in shown
    assert 'execution_provider="CPUExecutionProvider"' in shown


async def providers_of(stub: Stub) -> set[str]:
    request = pb.AnalyzeRequest(image=specimens.lesion_jpeg((300, 200)))
    answer = await stub.Analyze(request, timeout=60)
    return {model.execution_provider for model in answer.models}
