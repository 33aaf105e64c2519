"""What a GPU gives: pictures a second by batch size, and how much of it callers get.

For each batch size both models run once after the other on random pixels, in a *bare* ONNX
Runtime session on the same provider, opened as the service opens its own (with TensorRT and in
PyTorch too, where they are), and as the service runs them. Then encoded pictures go through the
whole pipeline without a pause. Decoding is the processor's work: its share of all cores' time says
whether they keep the GPU fed. All of it once as published, and once in half precision if both
models have a variant that was accepted.

Without CUDA nothing is written, because figures of a processor would say nothing here;
``--processor`` measures it all the same and only prints.

    python -m benchmarks.gpu            writes benchmarks/results/gpu.json and the tables
"""

import argparse
import asyncio
import functools
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import cycle, islice, product
from typing import Any

import numpy as np
from prometheus_client import CollectorRegistry

from benchmarks import bare, machine, tables
from benchmarks.bare import Batch, Loop
from services import telemetry
from services.inference import model_file
from services.inference.backends.backend import CPU, CUDA, TENSORRT
from services.inference.engine import engine
from services.inference.model_file import ModelError, ModelFile
from services.inference.onnx_model import OnnxModel
from services.inference.pipeline import Pipeline
from services.inference.settings import Settings, available_cores
from tests import specimens

PRECISIONS = ("fp32", "fp16")
PYTORCH = "PyTorch"
SERVICE = "service"

_PICTURES = 8
_WARM_RUNS = 2

Road = Sequence[tuple[Loop, int]]
"""A loop for each model that a picture goes through, and the side of its pictures in pixels."""


def main() -> None:
    """Measure, write the result, render the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=2, help="of each measurement")
    parser.add_argument("--pictures", type=int, default=4000, help="through the whole pipeline")
    parser.add_argument("--processor", action="store_true", help="measure also without a GPU")
    arguments = parser.parse_args()
    telemetry.configure_logging("benchmark", "WARNING")
    os.environ |= bare.IN_FULL
    settings = Settings(max_batch_size=64)
    result = asyncio.run(measured(settings, arguments.seconds, arguments.pictures))
    if result["on_gpu"]:
        machine.write("gpu", result, models=settings.model_dir)
        tables.render()
    elif arguments.processor:
        print(json.dumps(result, indent=1))
    else:
        print("not run: there is no GPU that ONNX Runtime can use", *_reasons(result), sep="\n")


async def measured(
    settings: Settings, seconds: float, pictures: int, precisions: Sequence[str] = PRECISIONS
) -> dict[str, Any]:
    """Measure in every precision that the models can be served in.

    Args:
        settings: of the service.
        seconds: that each measurement takes.
        pictures: that go through the pipeline.
        precisions: to try.

    """
    found: dict[str, dict[str, Any]] = {}
    not_run: dict[str, str] = {}
    for precision in precisions:
        asked = settings.model_copy(update={"precision": precision})
        try:
            found[precision] = await _measured(asked, seconds, pictures)
        except ModelError as error:
            not_run[precision] = str(error)
    providers = {figures["execution_provider"] for figures in found.values()}
    return {"on_gpu": providers == {CUDA}, "precisions": found, "not_run": not_run}


async def _measured(settings: Settings, seconds: float, pictures: int) -> dict[str, Any]:
    """Measure every batch size, then the whole pipeline."""
    registry = CollectorRegistry()
    async with engine(settings, registry) as pipeline:
        slots = (pipeline.segmenter, pipeline.classifier)
        models = [slot.lineup.stable.stage.model for slot in slots]
        provider = CUDA if all(model.on_device for model in models) else CPU
        roads, not_run = _roads(settings, models, provider)
        by_size = _by_size(settings, roads, not_run, seconds)
        decoded_s = _decoding_s(registry)
        passed_s = await _through(pipeline, pictures, settings.max_queue_size)
        decoded_s = _decoding_s(registry) - decoded_s
    best = max(figures.get(provider, 0) for figures in by_size.values())
    return {
        "execution_provider": provider,
        "pictures_a_second": by_size,
        "not_run": not_run,
        "end_to_end_per_s": round(pictures / passed_s, 1),
        "end_to_end_to_bare": round(pictures / passed_s / best, 3) if best else None,
        "decode_ms": round(decoded_s / pictures * 1000, 2),
        "decode_share_of_cores": round(decoded_s / passed_s / available_cores(), 3),
    }


def _roads(
    settings: Settings, models: Sequence[OnnxModel], provider: str
) -> tuple[dict[str, Road], dict[str, str]]:
    """Return the roads there are by name, and why there are no others."""
    sides = [model.input_size for model in models]
    files = [_that_runs(settings, model) for model in models]
    loops: dict[str, Callable[[ModelFile], Loop]] = {
        provider: functools.partial(bare.in_onnxruntime, provider=provider),
        TENSORRT: functools.partial(bare.in_onnxruntime, provider=TENSORRT),
        PYTORCH: functools.partial(bare.in_pytorch, provider=provider),
    }
    roads: dict[str, Road] = {
        SERVICE: list(zip([_as_served(model) for model in models], sides, strict=True))
    }
    not_run: dict[str, str] = {}
    for name, loop in loops.items():
        try:
            roads[name] = list(zip(map(loop, files), sides, strict=True))
        except Exception as error:  # noqa: BLE001 - one road less, whatever a runtime raises
            not_run[name] = bare.reason(error)
    return roads, not_run


def _reasons(result: Mapping[str, Any]) -> list[str]:
    return [f"{precision}: {why}" for precision, why in result["not_run"].items()]


def _that_runs(settings: Settings, model: OnnxModel) -> ModelFile:
    """Return the file that the service runs: the model, or a variant of it."""
    runs = model.provenance
    published = model_file.read(settings.model_dir / runs.name / runs.version / "model.onnx")
    if runs.sha256 == published.sha256:
        return published
    return model_file.variant(published, runs.precision)


def _as_served(model: OnnxModel) -> Loop:
    return lambda batch: model.run([*batch])


def _by_size(
    settings: Settings, roads: Mapping[str, Road], not_run: dict[str, str], seconds: float
) -> dict[str, dict[str, float]]:
    """Return pictures a second through both models, by batch size and then by road.

    Args:
        settings: of the service.
        roads: by name.
        not_run: is told which road failed and why; it is not taken with larger batches then.
        seconds: that each measurement takes.

    """
    sizes = [1 << power for power in range(settings.max_batch_size.bit_length())]
    by_size: dict[str, dict[str, float]] = {str(size): {} for size in sizes}
    for size, (name, road) in product(sizes, roads.items()):
        if name in not_run:
            continue
        try:
            by_size[str(size)][name] = _per_s(road, size, seconds)
        except Exception as error:
            if name == SERVICE:
                raise
            not_run[name] = f"batches of {size} and more: {bare.reason(error)}"
    return by_size


@functools.cache
def _pixels(rows: int, side: int) -> Batch:
    return np.random.default_rng(rows).integers(0, 256, (rows, side, side, 3), np.uint8)


def _per_s(road: Road, rows: int, seconds: float) -> float:
    """Return pictures a second that go through all models, one batch after another."""
    work = [(run, _pixels(rows, side)) for run, side in road]
    for run, batch in work:
        for _ in range(_WARM_RUNS):  # the first of a shape is slow
            run(batch)
    batches, passed_s, began = 0, 0.0, time.perf_counter()
    while passed_s < seconds:
        for run, batch in work:
            run(batch)
        batches += 1
        passed_s = time.perf_counter() - began
    return round(batches * rows / passed_s, 1)


async def _through(pipeline: Pipeline, pictures: int, callers: int) -> float:
    """Return the seconds that so many encoded pictures take with so many callers."""
    drawn = [specimens.lesion_jpeg(seed=seed) for seed in range(_PICTURES)]
    waiting = islice(cycle(drawn), pictures)

    async def call() -> None:
        for picture in waiting:
            await pipeline.analyze(picture)

    began = time.perf_counter()
    await asyncio.gather(*(call() for _ in range(callers)))
    return time.perf_counter() - began


def _decoding_s(registry: CollectorRegistry) -> float:
    return registry.get_sample_value("inference_decode_seconds_sum") or 0.0


if __name__ == "__main__":
    main()
