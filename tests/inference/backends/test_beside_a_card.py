"""What runs on the processor of a machine with a graphics card: the spare, and who has no card."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from services.inference import engine, labels
from services.inference.backends import election
from services.inference.backends.backend import CUDA, BackendError, Identity, Ran, Tensor
from services.inference.backends.candidate import Candidate
from services.inference.backends.election import Election
from services.inference.backends.layout import Layout
from services.inference.backends.onnxruntime_cpu import OnnxRuntimeCpu
from services.inference.labels import Labels
from services.inference.model_file import ModelFile
from services.inference.settings import Settings
from services.pb import inference_pb2_grpc
from tests.inference.conftest import serving
from tests.inference.rollouts import POLL_S, listed, serves, two_versions

CORES = 2


class Card(OnnxRuntimeCpu):
    """Computes as a card would."""

    on_device = True

    def __init__(self, file: ModelFile, layout: Layout) -> None:
        super().__init__(file, layout)
        self.identity = Identity(CUDA, file.precision, file.sha256)


class Processor(OnnxRuntimeCpu):
    """Remembers how it was opened, and what came to it."""

    def __init__(self, file: ModelFile, layout: Layout) -> None:
        super().__init__(file, layout)
        self.version = f"{file.path.parent.parent.name}/{file.path.parent.name}"
        self.layout = layout
        self.ran: list[int] = []

    def run(self, batch: Tensor) -> Ran:
        self.ran.append(len(batch))
        return super().run(batch)


class Machine:
    """Has a card for some models, and a processor for the others.

    Attributes:
        on_card: the models that the card takes.
        opened: what was opened on the processor, to serve or as a spare.

    """

    def __init__(self) -> None:
        self.on_card = {"segmenter", "classifier"}
        self.opened: list[Processor] = []

    def candidates(self) -> list[Candidate]:
        return [
            Candidate("cuda", "fp32", self._on_card),
            Candidate("cpu", "fp32", self._on_processor),
        ]

    def open(self, file: ModelFile, layout: Layout) -> Processor:
        self.opened.append(Processor(file, layout))
        return self.opened[-1]

    def _on_card(self, file: ModelFile, layout: Layout) -> Card:
        if file.path.parent.parent.name not in self.on_card:
            raise BackendError("CUDA failure 100: no CUDA-capable device is detected")
        return Card(file, layout)

    def _on_processor(self, file: ModelFile, layout: Layout) -> Processor:
        if file.path.parent.parent.name in self.on_card:
            raise BackendError("it would be slower")
        return self.open(file, layout)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    found = Machine()
    monkeypatch.setattr(engine, "available_cores", lambda: CORES)
    monkeypatch.setattr(engine, "Election", partial(Election, candidates=found.candidates()))
    monkeypatch.setattr(election, "OnnxRuntimeCpu", found.open)
    return found


def settings(model_dir: Path, runners: int | None = None) -> Settings:
    return Settings(
        model_dir=model_dir,
        runners=runners,
        execution_provider="auto",
        precision="auto",
        model_poll_s=POLL_S,
    )


@pytest.mark.parametrize(("runners", "layout"), [(None, Layout(1, CORES)), (CORES, Layout(2, 1))])
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


async def test_a_version_that_comes_once_the_card_is_lost_has_all_cores_for_its_one_run(
    tmp_path: Path, registry: CollectorRegistry, machine: Machine
) -> None:
    model_dir = two_versions(tmp_path)
    async with serving(settings(model_dir), registry) as channel:
        machine.on_card.clear()
        labels.write(model_dir / "classifier", Labels(stable=2))
        await listed(inference_pb2_grpc.InferenceServiceStub(channel), serves("classifier", "2"))
    last = machine.opened[-1]
    assert (last.version, last.layout) == ("classifier/2", Layout(1, CORES))


async def test_a_model_that_the_card_does_not_take_has_all_cores_for_its_one_run(
    model_dir: Path, registry: CollectorRegistry, machine: Machine
) -> None:
    machine.on_card = {"classifier"}
    async with engine.engine(settings(model_dir), registry):
        layouts = {each.version: each.layout for each in machine.opened}
    assert layouts["segmenter/1"] == Layout(1, CORES)
