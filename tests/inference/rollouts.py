"""A service whose models have two versions each, and what is to be seen of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from services.inference import labels
from services.inference.labels import Labels
from services.inference.settings import Settings
from services.pb import inference_pb2 as pb
from services.pb import inference_pb2_grpc
from tests import specimens, tiny_models
from tests.inference.conftest import serving

if TYPE_CHECKING:  # the asynchronous stub is a type only
    from services.pb.inference_pb2_grpc import InferenceServiceAsyncStub as Stub

PICTURE = specimens.lesion_jpeg((300, 200))
POLL_S = 0.01


def two_versions(model_dir: Path) -> Path:
    """Two versions of each model that answer differently; the first are stable."""
    tiny_models.write_models(model_dir)
    tiny_models.publish(tiny_models.another_classifier(), model_dir / "classifier" / "2")
    tiny_models.publish(tiny_models.another_segmenter(), model_dir / "segmenter" / "2")
    for name in ("classifier", "segmenter"):
        labels.write(model_dir / name, Labels(stable=1))
    return model_dir


@asynccontextmanager
async def served(model_dir: Path, registry: CollectorRegistry | None = None) -> AsyncIterator[Stub]:
    settings = Settings(model_dir=model_dir, runners=2, model_poll_s=POLL_S)
    async with serving(settings, registry or CollectorRegistry()) as channel:
        yield inference_pb2_grpc.InferenceServiceStub(channel)


async def listed(
    stub: Stub, when: Callable[[pb.ListModelsResponse], bool]
) -> pb.ListModelsResponse:
    """Ask for the models until what is awaited has come about."""
    async with asyncio.timeout(60):
        while not when(found := await stub.ListModels(pb.ListModelsRequest(), timeout=60)):
            pass
    return found


def serves(name: str, version: str) -> Callable[[pb.ListModelsResponse], bool]:
    """Say whether a version is stable, and nothing of the model is left to do."""

    def look(found: pb.ListModelsResponse) -> bool:
        (*versions,) = (each for each in found.models if each.name == name)
        (stable,) = (each for each in versions if each.version_label == pb.VERSION_LABEL_STABLE)
        at_rest = all(each.version_state == pb.VERSION_STATE_SERVING for each in versions)
        return stable.version == version and at_rest

    return look


def refused(found: pb.ListModelsResponse) -> bool:
    return any(each.version_state == pb.VERSION_STATE_REFUSED for each in found.pending)


def version_of(answer: pb.AnalyzeResponse, name: str) -> str:
    (version,) = (model.version for model in answer.models if model.name == name)
    return version


async def analyze(stub: Stub, picture: bytes = PICTURE) -> pb.AnalyzeResponse:
    return await stub.Analyze(pb.AnalyzeRequest(image=picture), timeout=60)


def finding(answer: pb.AnalyzeResponse) -> tuple[float, float]:
    """Return what tells which segmenter and which classifier really answered."""
    first = answer.classification.probabilities[0].probability
    return round(answer.segmentation.area_fraction, 6), round(first, 6)


def wrong_hash(folder: Path) -> None:
    tiny_models.publish(tiny_models.another_classifier(seed=5), folder)
    with (folder / "model.onnx").open("ab") as file:
        file.write(b"\0")
