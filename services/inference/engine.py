"""Everything that analyzes pictures in one process, without a wire: models, stages, threads.

The server puts gRPC in front of it; the command line and the benchmarks use it as it is.
"""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager

import cv2
from prometheus_client import CollectorRegistry

from services.inference import repository
from services.inference.admission import Admission
from services.inference.metrics import Metrics
from services.inference.onnx_model import CPU, OnnxModel
from services.inference.pipeline import Pipeline
from services.inference.runners import Runners
from services.inference.settings import Settings, available_cores
from services.inference.stage import ModelStage


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
        cores = available_cores()
        imaging = owned.enter_context(ThreadPoolExecutor(cores, "imaging"))
        segmenter, classifier = await asyncio.gather(
            _load(settings, "segmenter", imaging), _load(settings, "classifier", imaging)
        )
        runners = Runners(settings.runners or _natural_runners(classifier))
        runs = owned.enter_context(ThreadPoolExecutor(runners.count, "run"))

        async def stage(model: OnnxModel) -> ModelStage:
            built = ModelStage(
                model,
                runners,
                runs,
                metrics,
                max_batch_size=settings.max_batch_size,
                max_queue_delay_s=settings.max_queue_delay_s,
            )
            owned.push_async_callback(built.close)
            await built.warm_up()
            metrics.model_serves(model.provenance)
            return built

        stages = (await stage(segmenter), await stage(classifier))
        admission = Admission(runners.count + settings.max_queue_size)
        metrics.in_work.set_function(lambda: admission.in_work)
        pipeline = Pipeline(*stages, admission, Runners(cores), imaging, metrics)
        owned.push_async_callback(pipeline.close)
        yield pipeline


async def _load(settings: Settings, name: str, threads: Executor) -> OnnxModel:
    def load() -> OnnxModel:
        folder = repository.latest(settings.model_dir, name)
        return OnnxModel.load(folder, name, provider=settings.execution_provider)

    return await asyncio.get_running_loop().run_in_executor(threads, load)


def _natural_runners(model: OnnxModel) -> int:
    """One run a core on a CPU, where larger batches gain nothing; one run in all on a GPU."""
    return available_cores() if model.provenance.execution_provider == CPU else 1
