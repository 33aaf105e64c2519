"""Everything that analyzes pictures in one process, without a wire: models, stages, threads.

The server puts gRPC in front of it; the command line and the benchmarks use it as it is.
"""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager

import cv2
from prometheus_client import CollectorRegistry

from services.inference import model_file, repository
from services.inference.admission import Admission
from services.inference.backends import layout, trial
from services.inference.backends.election import Election
from services.inference.backends.layout import Layout
from services.inference.backends.loss import Loss
from services.inference.contract import ClassifierContract, SegmenterContract
from services.inference.loader import Loader
from services.inference.metrics import Metrics
from services.inference.onnx_model import OnnxModel
from services.inference.pipeline import Pipeline
from services.inference.rollout import Rollout
from services.inference.runners import Runners
from services.inference.settings import Settings, available_cores
from services.inference.shadow import Shadows
from services.inference.slot import Slot
from services.inference.stage import ModelStage
from services.inference.staged import Staged
from services.inference.steps import Steps
from services.inference.straight import Straight
from services.inference.version import Contract
from services.inference.watch import Watch
from services.inference.ways import Ways

_MODELS = ("segmenter", "classifier")


@asynccontextmanager
async def engine(
    settings: Settings, registry: CollectorRegistry, watch: Watch | None = None
) -> AsyncIterator[Pipeline]:
    """Load, verify and warm the models; when the block ends, run what waits, then stop.

    While it lasts, the labels in the model folder are followed.

    Args:
        settings: what operators have set.
        registry: where all is counted.
        watch: notices runs that do not end; without one nobody looks.

    Raises:
        ModelError: a model is missing, is not the published file or breaks its contract.

    """
    # Parallelism is between pictures: OpenCV's own threads would only fight for the cores.
    cv2.setNumThreads(1)
    metrics = Metrics(registry)
    watch = watch or Watch(settings.hang_s)
    metrics.hung_runs.set_function(lambda: watch.hung)
    async with AsyncExitStack() as owned:
        cores = available_cores()
        # One model at a time, so that those who serve lose little to it.
        loading = owned.enter_context(ThreadPoolExecutor(1, "loading"))
        shared_out = await _shared_out(settings, cores, loading)
        election = Election(
            shared_out,
            beside_card=layout.shared_out(cores, settings.runners or 1),
            provider=settings.execution_provider,
            precision=settings.precision,
            largest_batch=settings.max_batch_size,
            loss=Loss(),
        )
        disk = (settings.model_dir, election, loading, metrics)
        segmenters = Loader("segmenter", SegmenterContract.of, *disk)
        classifiers = Loader("classifier", ClassifierContract.of, *disk)
        # A list that is emptied: models that are replaced later must not be kept from here.
        opened = await _opened(election, segmenters, classifiers)
        on_device = any(model.on_device for model in opened)
        runners = Runners(settings.runners or _side_by_side(shared_out, on_device=on_device))
        runs = watch.over(owned.enter_context(ThreadPoolExecutor(runners.count, "run")))
        if shared_out.threads == 1 and not on_device:
            # Who works on the same cores takes turns on them.
            imagers, imaging = runners, runs
        else:
            imagers = Runners(cores)
            imaging = watch.over(owned.enter_context(ThreadPoolExecutor(cores, "imaging")))

        def stage(model: OnnxModel) -> ModelStage:
            return ModelStage(
                model,
                runners,
                runs,
                metrics,
                max_batch_size=settings.max_batch_size,
                max_queue_delay_s=settings.max_queue_delay_s,
            )

        async def slot(loader: Loader[Contract], stable: OnnxModel) -> Slot[Contract]:
            built = Slot(loader.name, await loader.warmed(stable, stage))
            metrics.of_slot(built.name, built.queue_size, built.problems)
            rollout = Rollout(
                built,
                loader.look,
                lambda number: loader.load(number, stage),
                loader.check,
                metrics,
            )
            owned.push_async_callback(rollout.close)
            await rollout.begin(settings.model_poll_s)
            return built

        classifier = await slot(classifiers, opened.pop())
        segmenter = await slot(segmenters, opened.pop())
        admission = Admission(
            runners.count + settings.max_queue_size, lambda reason: metrics.refused(reason).inc()
        )
        metrics.runners.set(runners.count)
        metrics.places.set(admission.places)
        metrics.in_work.set_function(lambda: admission.in_work)
        shadows = Shadows(
            lambda: not admission.in_work and runners.free == runners.count, imaging, metrics
        )
        steps = Steps(imagers, imaging, metrics)
        staged = Staged(segmenter, classifier, steps)
        straight = Straight(staged, steps, runners, runs, metrics) if imagers is runners else None
        ways = Ways(steps, staged, straight, cores)
        metrics.waiting.set_function(lambda: sum(line.queue_size for line in ways.first))
        pipeline = Pipeline(segmenter, classifier, shadows, admission, ways, metrics)
        owned.push_async_callback(pipeline.close)
        yield pipeline


async def _opened(
    election: Election,
    segmenters: Loader[SegmenterContract],
    classifiers: Loader[ClassifierContract],
) -> list[OnnxModel]:
    """Open the stable versions, and let elections know once one of them is on a card."""
    loaders = (segmenters, classifiers)
    opened = [await each.open_stable() for each in loaders]
    if any(model.on_device for model in opened):
        election.stand_by_card()
        # What stays on the processor was opened for runs side by side, which will not come.
        for index, model in enumerate(opened):
            if not model.on_device:
                opened[index] = await loaders[index].open_stable()
    return opened


def _side_by_side(shared_out: Layout, *, on_device: bool) -> int:
    """Return how many runs go at the same time where nobody has set it.

    A graphics card does the rows of a batch side by side: one. On a processor one more than
    there is room for: while one changes hands, the others keep every core busy.
    """
    if on_device:
        return 1
    return shared_out.runs + 1 if shared_out.threads == 1 else shared_out.runs


async def _shared_out(settings: Settings, cores: int, threads: Executor) -> Layout:
    """Share out the cores as was set, or as is measured to be best for these models."""
    if settings.runners:
        return layout.shared_out(cores, settings.runners)

    def measure() -> Layout:
        folders = [repository.stable(settings.model_dir, name) for name in _MODELS]
        return trial.measured([model_file.read(path / "model.onnx") for path in folders], cores)

    return await asyncio.get_running_loop().run_in_executor(threads, measure)
