"""Everything that analyzes pictures in one process, without a wire: models, stages, threads.

The server puts gRPC in front of it; the command line and the benchmarks use it as it is.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager

import cv2
from prometheus_client import CollectorRegistry

from services.inference import repository
from services.inference.admission import Admission
from services.inference.batcher import Runners
from services.inference.metrics import Metrics
from services.inference.onnx_model import CPU, OnnxModel
from services.inference.pipeline import Pipeline
from services.inference.settings import Settings, available_cores
from services.inference.stage import Stage


@asynccontextmanager
async def engine(settings: Settings, registry: CollectorRegistry) -> AsyncIterator[Pipeline]:
    """Load, verify and warm the models; when the block ends, run what waits, then stop.

    Raises:
        ModelError: a model is missing, is not the published file or breaks its contract.

    """
    # Parallelism is between pictures: OpenCV's own threads would only fight for the cores.
    cv2.setNumThreads(1)
    metrics = Metrics(registry)
    async with AsyncExitStack() as owned:
        imaging = owned.enter_context(ThreadPoolExecutor(available_cores(), "imaging"))
        segmenter, classifier = await asyncio.gather(
            _load(settings, "segmenter", imaging), _load(settings, "classifier", imaging)
        )
        runners = Runners(settings.runners or _natural_runners(classifier))
        runs = owned.enter_context(ThreadPoolExecutor(runners.count, "run"))

        def stage(model: OnnxModel) -> Stage:
            metrics.model_serves(model.provenance)
            return Stage(
                model,
                runners,
                runs,
                metrics,
                max_batch_size=settings.max_batch_size,
            )

        stages = (stage(segmenter), stage(classifier))
        admission = Admission(runners.count + settings.max_queue_size)
        metrics.in_work.set_function(lambda: admission.in_work)
        pipeline = Pipeline(*stages, admission, imaging, metrics)
        for running in stages:
            running.start()
            owned.push_async_callback(running.close)
        yield pipeline


async def _load(settings: Settings, name: str, threads: Executor) -> OnnxModel:
    def load() -> OnnxModel:
        folder = repository.latest(settings.model_dir, name)
        model = OnnxModel.load(folder, name, provider=settings.execution_provider)
        model.warm_up(_batch_sizes(model, settings.max_batch_size))
        return model

    return await asyncio.get_running_loop().run_in_executor(threads, load)


def _batch_sizes(model: OnnxModel, largest: int) -> Iterable[int]:
    """Return the sizes to warm: on a GPU the first run of each is slow, on a CPU it is not."""
    if model.provenance.execution_provider == CPU:
        return sorted({1, largest})
    return range(1, largest + 1)


def _natural_runners(model: OnnxModel) -> int:
    """One run a core on a CPU, where larger batches gain nothing; one run in all on a GPU."""
    return available_cores() if model.provenance.execution_provider == CPU else 1
