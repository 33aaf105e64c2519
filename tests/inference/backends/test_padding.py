"""Batches for a graphics card, seen from both ends: on the socket, and by what stands for it."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from services.inference import engine, labels, stage
from services.inference.backends.backend import CPU, Ran, Tensor
from services.inference.backends.candidate import Candidate
from services.inference.backends.election import Election
from services.inference.backends.layout import Layout
from services.inference.backends.onnxruntime_cpu import OnnxRuntimeCpu
from services.inference.labels import Canary, Labels
from services.inference.model_file import ModelFile
from services.inference.settings import Settings
from services.pb import inference_pb2 as inference
from services.pb import inference_pb2_grpc, open_inference_pb2_grpc
from services.pb import open_inference_pb2 as pb
from tests import tiny_models
from tests.inference.conftest import serving
from tests.inference.rollouts import POLL_S, listed

LARGEST = 8


class Card(OnnxRuntimeCpu):
    """Wants batches as a graphics card does, and remembers how large they were."""

    on_device = True
    by = CPU

    def __init__(self, file: ModelFile, layout: Layout, ran: list[int]) -> None:
        super().__init__(file, layout)
        self._ran = ran

    def run(self, batch: Tensor) -> Ran:
        self._ran.append(len(batch))
        ran = super().run(batch)
        return Ran(ran.results, replace(ran.by, execution_provider=self.by))


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[int]]:
    """The sizes of the batches that came to the card of each version, in their order.

    A run costs the same there whatever its rows, so that batches pay: the clock that they are
    warmed up by says so.
    """
    ticks = itertools.count()
    clock = SimpleNamespace(perf_counter=lambda: next(ticks) / 100, monotonic=time.monotonic)
    monkeypatch.setattr(stage, "time", clock)
    sizes: dict[str, list[int]] = {}

    def opened(file: ModelFile, layout: Layout) -> Card:
        version = file.path.parent
        return Card(file, layout, sizes.setdefault(f"{version.parent.name}/{version.name}", []))

    def with_card(*arguments: object, **rules: object) -> Election:
        card = Candidate("cpu", "fp32", opened)
        return Election(*arguments, **{**rules, "candidates": [card]})  # type: ignore[arg-type]

    monkeypatch.setattr(engine, "Election", with_card)
    return sizes


def five_rows() -> pb.ModelInferRequest:
    side = tiny_models.SIZE
    pixels = np.random.default_rng(1).integers(0, 256, (5, side, side, 3), dtype=np.uint8)
    tensor = pb.ModelInferRequest.InferInputTensor(
        name="image", datatype="UINT8", shape=pixels.shape
    )
    return pb.ModelInferRequest(
        model_name="classifier", inputs=[tensor], raw_input_contents=[pixels.tobytes()]
    )


@pytest.fixture
def settings(model_dir: Path) -> Settings:
    return Settings(model_dir=model_dir, runners=1, max_batch_size=LARGEST)


async def test_every_shape_was_run_on_the_card_before_the_service_is_ready(
    settings: Settings, registry: CollectorRegistry, ran: dict[str, list[int]]
) -> None:
    async with serving(settings, registry):
        assert {name: set(sizes) for name, sizes in ran.items()} == {
            "segmenter/1": {1, 2, 4, 8},
            "classifier/1": {1, 2, 4, 8},
        }


@pytest.mark.parametrize(
    "given",
    [
        Labels(stable=2),
        Labels(stable=1, canary=Canary(version=2, share=0.5)),
        Labels(stable=1, shadow=2),
    ],
    ids=["stable", "canary", "shadow"],
)
async def test_every_shape_of_a_later_version_was_run_on_the_card_before_it_is_given_a_picture(
    tmp_path: Path, registry: CollectorRegistry, ran: dict[str, list[int]], given: Labels
) -> None:
    folder = tiny_models.write_models(tmp_path) / "classifier"
    labels.write(folder, Labels(stable=1))
    followed = {"runners": 1, "max_batch_size": LARGEST, "model_poll_s": POLL_S}
    settings = Settings.model_validate({"model_dir": tmp_path, **followed})
    async with serving(settings, registry) as channel:
        tiny_models.publish(tiny_models.another_classifier(), folder / "2")
        labels.write(folder, given)
        # Nobody asks for anything but this: what has run by then was run to warm it.
        await listed(inference_pb2_grpc.InferenceServiceStub(channel), second_classifier_serves)
        assert set(ran["classifier/2"]) == {1, 2, 4, 8}


def second_classifier_serves(found: inference.ListModelsResponse) -> bool:
    return any((each.name, each.version) == ("classifier", "2") for each in found.models)


async def test_once_the_card_is_lost_nothing_is_filled_up_any_more(
    settings: Settings,
    registry: CollectorRegistry,
    ran: dict[str, list[int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with serving(settings, registry) as channel:
        stub = open_inference_pb2_grpc.GRPCInferenceServiceStub(channel)
        monkeypatch.setattr(Card, "on_device", False)
        monkeypatch.setattr(Card, "by", "ElsewhereExecutionProvider")
        await stub.ModelInfer(five_rows(), timeout=60)
        before = len(ran["classifier/1"])
        await stub.ModelInfer(five_rows(), timeout=60)
    assert sum(ran["classifier/1"][before:]) == 5


async def test_rows_that_fill_a_batch_up_are_run_and_counted_and_never_answered(
    settings: Settings, registry: CollectorRegistry, ran: dict[str, list[int]]
) -> None:
    async with serving(settings, registry) as channel:
        stub = open_inference_pb2_grpc.GRPCInferenceServiceStub(channel)
        before = len(ran["classifier/1"])
        answer = await stub.ModelInfer(five_rows(), timeout=60)
    assert {output.shape[0] for output in answer.outputs} == {5}
    sizes = ran["classifier/1"][before:]
    assert sizes == [8]
    padding = registry.get_sample_value(
        "inference_padded_rows_total", {"model": "classifier", "version": "1"}
    )
    assert padding == 3
