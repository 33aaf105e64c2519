"""What a GPU gives: pictures a second by batch size, and how much of it callers get.

For each batch size both models run once after the other on random pixels, in a *bare* ONNX
Runtime session on the same provider (with TensorRT too, where ONNX Runtime has it) and as the
service runs them. Then encoded pictures go through the whole pipeline without a pause. Decoding
is the processor's work: its share of all cores' time says whether they keep the GPU fed.

Without CUDA nothing is written, because figures of a processor would say nothing here;
``--processor`` measures it all the same and only prints.

    python -m benchmarks.gpu            writes benchmarks/results/gpu.json and the tables
"""

import argparse
import asyncio
import functools
import json
import time
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from prometheus_client import CollectorRegistry

from benchmarks import machine, tables
from services import telemetry
from services.inference.backends.backend import CPU, CUDA
from services.inference.engine import engine
from services.inference.onnx_model import OnnxModel
from services.inference.pipeline import Pipeline
from services.inference.settings import Settings, available_cores
from tests import specimens

_FURTHER = ("TensorrtExecutionProvider",)
"""Measured beside the service's own provider, where this ONNX Runtime has them."""

_PICTURES = 8
_WARM_RUNS = 2

Runs = Sequence[Callable[[int], object]]
"""Runs a batch of so many rows, one function a model."""


def main() -> None:
    """Measure, write the result, render the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=2, help="of each measurement")
    parser.add_argument("--pictures", type=int, default=4000, help="through the whole pipeline")
    parser.add_argument("--processor", action="store_true", help="measure also without a GPU")
    arguments = parser.parse_args()
    telemetry.configure_logging("benchmark", "WARNING")
    settings = Settings(max_batch_size=64, precision="fp32")  # as the bare loop runs it
    result = asyncio.run(measured(settings, arguments.seconds, arguments.pictures))
    if result["on_gpu"]:
        machine.write("gpu", result, models=settings.model_dir)
        tables.render()
    elif arguments.processor:
        print(json.dumps(result, indent=1))
    else:
        print("not run: there is no GPU that ONNX Runtime can use")


async def measured(settings: Settings, seconds: float, pictures: int) -> dict[str, Any]:
    """Measure every batch size, then the whole pipeline.

    Args:
        settings: of the service.
        seconds: that each measurement takes.
        pictures: that go through the pipeline.

    """
    registry = CollectorRegistry()
    async with engine(settings, registry) as pipeline:
        slots = (pipeline.segmenter, pipeline.classifier)
        models = [slot.lineup.stable.stage.model for slot in slots]
        by_size = _by_size(settings, models, seconds)
        decoded_s = _decoding_s(registry)
        passed_s = await _through(pipeline, pictures, settings.max_queue_size)
        decoded_s = _decoding_s(registry) - decoded_s
        on_gpu = all(model.on_device for model in models)
    provider = CUDA if on_gpu else CPU
    best = max(figures[provider] for figures in by_size.values())
    return {
        "on_gpu": on_gpu,
        "execution_provider": provider,
        "pictures_a_second": by_size,
        "end_to_end_per_s": round(pictures / passed_s, 1),
        "end_to_end_to_bare": round(pictures / passed_s / best, 3),
        "decode_ms": round(decoded_s / pictures * 1000, 2),
        "decode_share_of_cores": round(decoded_s / passed_s / available_cores(), 3),
    }


def _by_size(
    settings: Settings, models: Sequence[OnnxModel], seconds: float
) -> dict[str, dict[str, float]]:
    """Return pictures a second through both models, by batch size and then by road."""
    on_gpu = all(model.on_device for model in models)
    providers = [
        CUDA if on_gpu else CPU,
        *(name for name in _FURTHER if name in ort.get_available_providers()),
    ]
    roads: dict[str, Runs] = {"service": [_as_served(model) for model in models]}
    for name in providers:
        roads[name] = [_bare(settings, model, name) for model in models]
    sizes = [1 << power for power in range(settings.max_batch_size.bit_length())]
    return {
        str(size): {name: _per_s(runs, size, seconds) for name, runs in roads.items()}
        for size in sizes
    }


def _as_served(model: OnnxModel) -> Callable[[int], object]:
    pixels = _pixels(model, 1)[0]
    return lambda rows: model.run([pixels] * rows)


def _bare(settings: Settings, model: OnnxModel, provider: str) -> Callable[[int], object]:
    """Return a session of ONNX Runtime's own, as its documentation makes one."""
    made_by = model.provenance
    options = ort.SessionOptions()
    if provider == CPU:
        options.intra_op_num_threads = 1  # as the service has it: one run a core
    session = ort.InferenceSession(
        settings.model_dir / made_by.name / made_by.version / "model.onnx",
        options,
        providers=list(dict.fromkeys((provider, CPU))),
    )
    name = session.get_inputs()[0].name
    return lambda rows: session.run(None, {name: _pixels(model, rows)})


@functools.cache
def _pixels(model: OnnxModel, rows: int) -> npt.NDArray[np.uint8]:
    shape = (rows, model.input_size, model.input_size, 3)
    return np.random.default_rng(rows).integers(0, 256, shape, np.uint8)


def _per_s(runs: Runs, rows: int, seconds: float) -> float:
    """Return pictures a second that go through all models, one batch after another."""
    for run in runs:
        for _ in range(_WARM_RUNS):  # the first of a shape is slow
            run(rows)
    batches, passed_s, began = 0, 0.0, time.perf_counter()
    while passed_s < seconds:
        for run in runs:
            run(rows)
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
