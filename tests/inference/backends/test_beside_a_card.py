"""What runs on the processor of a machine with a graphics card: the spare, and who has no card."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from services.inference import engine, labels
from services.inference.backends import election
from services.inference.backends.backend import CPU, CUDA, BackendError, Identity, Ran, Tensor
from services.inference.backends.candidate import Candidate
from services.inference.backends.election import Election
from services.inference.backends.layout import Layout
from services.inference.backends.onnxruntime_cpu import OnnxRuntimeCpu
from services.inference.labels import Labels
from services.inference.model_file import ModelFile
from services.inference.settings import Settings
from services.pb import inference_pb2_grpc, open_inference_pb2_grpc
from services.pb import open_inference_pb2 as pb
from tests import tiny_models
from tests.inference.conftest import serving
from tests.inference.rollouts import POLL_S, analyze, listed, serves, two_versions

CORES = 2
FAILURE = "CUDA failure 719: unspecified launch failure"
LAYOUTS = [(None, Layout(1, CORES)), (CORES, Layout(2, 1))]
"""What is set as the number of runs, and what a run on the processor then has."""


class Card(OnnxRuntimeCpu):
    """Computes as a card would, unless it fails."""

    on_device = True

    def __init__(self, file: ModelFile, layout: Layout, fails: Callable[[], bool]) -> None:
        super().__init__(file, layout)
        self.identity = Identity(CUDA, file.precision, file.sha256)
        self._fails = fails

    def run(self, batch: Tensor) -> Ran:
        if self._fails():
            raise RuntimeError(FAILURE)
        return super().run(batch)


class Processor(OnnxRuntimeCpu):
    """Remembers how it was opened, and what came to it."""

    def __init__(self, file: ModelFile, layout: Layout) -> None:
        super().__init__(file, layout)
        self.version = version_in(file)
        self.layout = layout
        self.ran: list[int] = []

    def run(self, batch: Tensor) -> Ran:
        self.ran.append(len(batch))
        return super().run(batch)


class Machine:
    """Has a card for some models, and a processor for the others.

    Attributes:
        on_card: the models that the card takes.
        on_processor: the models that may be elected to the processor.
        fails: whether the card does, whatever it runs.
        opened: what was opened on the processor, to serve or as a spare.
        opened_on_card: the versions that the card was asked for.

    """

    def __init__(self) -> None:
        self.on_card = {"segmenter", "classifier"}
        self.on_processor: set[str] = set()
        self.fails = False
        self.opened: list[Processor] = []
        self.opened_on_card: list[str] = []

    def candidates(self) -> list[Candidate]:
        return [
            Candidate("cuda", "fp32", self._on_card, on_device=True),
            Candidate("cpu", "fp32", self._on_processor),
        ]

    def open(self, file: ModelFile, layout: Layout) -> Processor:
        self.opened.append(Processor(file, layout))
        return self.opened[-1]

    def _on_card(self, file: ModelFile, layout: Layout) -> Card:
        if file.path.parent.parent.name not in self.on_card:
            raise BackendError("CUDA failure 100: no CUDA-capable device is detected")
        self.opened_on_card.append(version_in(file))
        return Card(file, layout, lambda: self.fails)

    def _on_processor(self, file: ModelFile, layout: Layout) -> Processor:
        if file.path.parent.parent.name not in self.on_processor:
            raise BackendError("it would be slower")
        return self.open(file, layout)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    found = Machine()
    monkeypatch.setattr(engine, "available_cores", lambda: CORES)
    monkeypatch.setattr(engine, "Election", partial(Election, candidates=found.candidates()))
    monkeypatch.setattr(election, "OnnxRuntimeCpu", found.open)
    return found


def version_in(file: ModelFile) -> str:
    return f"{file.path.parent.parent.name}/{file.path.parent.name}"


def settings(model_dir: Path, runners: int | None = None) -> Settings:
    return Settings(
        model_dir=model_dir,
        runners=runners,
        execution_provider="auto",
        precision="auto",
        model_poll_s=POLL_S,
    )


@pytest.mark.parametrize(("runners", "layout"), LAYOUTS)
async def test_what_goes_on_without_the_card_is_open_for_as_many_runs_and_has_run_already(
    model_dir: Path,
    registry: CollectorRegistry,
    machine: Machine,
    runners: int | None,
    layout: Layout,
) -> None:
    async with engine.engine(settings(model_dir, runners), registry):
        assert {each.version for each in machine.opened} == {"segmenter/1", "classifier/1"}
        assert [(each.layout, each.ran) for each in machine.opened] == [(layout, [1])] * 2
        assert registry.get_sample_value("inference_runners") == layout.runs


@pytest.mark.parametrize(("runners", "layout"), LAYOUTS)
async def test_a_version_that_comes_once_the_card_is_lost_never_asks_it_though_it_opens_again(
    tmp_path: Path,
    registry: CollectorRegistry,
    machine: Machine,
    logged: pytest.LogCaptureFixture,
    runners: int | None,
    layout: Layout,
) -> None:
    model_dir = two_versions(tmp_path)
    async with serving(settings(model_dir, runners), registry) as channel:
        stub = inference_pb2_grpc.InferenceServiceStub(channel)
        machine.fails = True
        for _ in range(3):
            await analyze(stub)
        machine.fails = False
        machine.on_processor = {"classifier"}
        labels.write(model_dir / "classifier", Labels(stable=2))
        found = await listed(stub, serves("classifier", "2"))
    assert "classifier/2" not in machine.opened_on_card
    assert {model.execution_provider for model in found.models} == {CPU}
    assert [each.layout for each in machine.opened if each.version == "classifier/2"] == [layout]
    assert FAILURE in candidates_in(logged, "classifier/2")["cuda fp32"]


def candidates_in(logged: pytest.LogCaptureFixture, version: str) -> dict[str, str]:
    """Return the candidates of a version's election with what became of each."""
    said = (record.msg for record in logged.records if isinstance(record.msg, dict))
    (found,) = (line for line in said if "candidates" in line and line["model"] == version)
    return dict(found["candidates"])


async def test_a_model_that_the_card_does_not_take_has_all_cores_for_its_one_run(
    model_dir: Path, registry: CollectorRegistry, machine: Machine
) -> None:
    machine.on_card, machine.on_processor = {"classifier"}, {"segmenter"}
    async with engine.engine(settings(model_dir), registry):
        layouts = {each.version: each.layout for each in machine.opened}
    assert layouts["segmenter/1"] == Layout(1, CORES)


class Choosy(Card):
    """A card that fails on sizes of batches which only warming up tries, and is lost so."""

    def __init__(self, file: ModelFile, layout: Layout) -> None:
        super().__init__(file, layout, lambda: False)

    def run(self, batch: Tensor) -> Ran:
        if 1 < len(batch) < Settings().max_batch_size:
            raise RuntimeError(FAILURE)
        return super().run(batch)


async def test_a_card_that_is_lost_in_warming_up_is_counted_as_lost_and_no_batch_is_filled_up(
    model_dir: Path, registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    choosy = Candidate("cuda", "fp32", Choosy, on_device=True)
    monkeypatch.setattr(engine, "Election", partial(Election, candidates=[choosy]))
    size = tiny_models.SIZE
    rows = pb.ModelInferRequest.InferInputTensor(
        name="image", datatype="UINT8", shape=[3, size, size, 3]
    )
    request = pb.ModelInferRequest(
        model_name="classifier", inputs=[rows], raw_input_contents=[bytes(3 * size * size * 3)]
    )
    async with serving(settings(model_dir), registry) as channel:
        stub = open_inference_pb2_grpc.GRPCInferenceServiceStub(channel)
        said = (await stub.ModelInfer(request, timeout=60)).parameters
    assert said["execution_provider"].string_param == CPU
    found = {
        name: registry.get_sample_value(f"inference_{name}", labels)
        for name, labels in {
            "failovers_total": {"model": "classifier"},
            "padded_rows_total": {"model": "classifier", "version": "1"},
        }.items()
    }
    assert found == {"failovers_total": 3, "padded_rows_total": 0}
