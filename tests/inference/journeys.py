"""Pictures on both ways through a pipeline in virtual time, and the rules that hold on each.

Pipeline, ways, lines, runners and versions are the real ones, and so is what they find in a
picture; only what a leg takes, and whether it fails, is part of the journey. It is found once and
remembered, so that hundreds of pictures cost little.
"""

import asyncio
import contextvars
import math
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import greenlet
import pytest
from prometheus_client import CollectorRegistry

from services import picture
from services.inference import straight
from services.inference.admission import Admission
from services.inference.analysis import Analysis
from services.inference.contract import ClassifierContract, SegmenterContract
from services.inference.metrics import Metrics
from services.inference.onnx_model import OnnxModel
from services.inference.pipeline import Pipeline
from services.inference.priority import Priority, Urgency
from services.inference.runners import Runners
from services.inference.shadow import Shadows
from services.inference.slot import Slot
from services.inference.stage import ModelStage, Stage
from services.inference.staged import Staged
from services.inference.steps import Steps
from services.inference.straight import Straight
from services.inference.version import Version
from services.inference.ways import Ways
from tests import specimens

LEGS = ("decode", "segment", "classify", "conclude")
UNUSABLE = "unusable"
"""What a leg may do instead of failing: the first one finds that the file is no picture."""

MOST = 6
"""Pictures of one scene; each has a file of its own."""


@dataclass(frozen=True)
class Journey:
    """What one picture goes through; times are in seconds.

    Attributes:
        after_s: since the one before it was asked for.
        time_s: until its deadline.
        leaves_s: until its caller leaves.
        priority: how soon it is needed.
        legs_s: that each leg takes.
        fails_at: the leg that fails on it, or ``UNUSABLE``.

    """

    after_s: float = 0.0
    time_s: float = math.inf
    leaves_s: float = math.inf
    priority: Priority = Priority.INTERACTIVE
    legs_s: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)
    fails_at: str = ""


class Threads(Executor):
    """Threads that live on the event loop: while one sleeps, the loop goes on, and so do others."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()
        task = asyncio.get_running_loop().create_task(self._run(future, fn, args, kwargs))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return future

    async def _run(self, future: Future[Any], fn: Callable[..., Any], args: Any, kw: Any) -> None:
        try:
            future.set_result(await _thread(lambda: fn(*args, **kw)))
        except BaseException as error:  # noqa: BLE001 - as a thread of a pool does
            future.set_exception(error)


class Luggage:
    """The files of the pictures, the models, and whatever each leg finds, once it was found."""

    def __init__(self, folder: Path) -> None:
        self.files = [specimens.lesion_jpeg((300, 225), seed=seed) for seed in range(MOST)]
        self.segmenter = OnnxModel.load(folder / "segmenter" / "1", "segmenter")
        self.classifier = OnnxModel.load(folder / "classifier" / "1", "classifier")
        self.segments = SegmenterContract.of(self.segmenter)
        self.classifies = ClassifierContract.of(self.classifier)
        self.found: dict[tuple[str, int], Any] = {}
        self._whose: dict[int, int] = {}

    def picture(self, leg: str, row: Any) -> int:
        """Return which picture a row is of."""
        if leg == "decode":
            return self.files.index(row.content)
        return self._whose[id(row.view if leg == "conclude" else row)]

    def output(self, leg: str, row: Any, work: Callable[[Any], Any]) -> Any:
        """Return what a leg makes of a row; whatever it is made from must be of that picture."""
        number = self.picture(leg, row)
        if (leg, number) not in self.found:
            (output,) = work([row])
            self.found[leg, number] = output
            if leg == "decode":
                for part in (output.view, *output.view.tensors.values()):
                    self._whose[id(part)] = number
        if leg == "conclude":
            assert row.segmented is self.found["segment", number]
            assert row.classified is self.found["classify", number]
        return self.found[leg, number]


class Travel:
    """A pipeline, and all who are on their way through it."""

    def __init__(
        self, luggage: Luggage, journeys: Sequence[Journey], *, runners: int, places: int
    ) -> None:
        self.luggage = luggage
        self.journeys = journeys
        self.registry = CollectorRegistry()
        self.runners = Runners(runners)
        metrics, threads = Metrics(self.registry), Threads()
        steps = Steps(self.runners, threads, metrics)

        def stage(model: OnnxModel) -> ModelStage:
            return ModelStage(model, self.runners, threads, metrics, max_batch_size=1)

        segments, classifies = stage(luggage.segmenter), stage(luggage.classifier)
        self.stages: list[Stage[Any, Any]] = [steps.decode, segments, classifies, steps.conclude]
        for leg, station in zip(LEGS, self.stages, strict=True):
            station.work = self._work(leg, station.work)
        segmenter = Slot("segmenter", Version(segments, luggage.segments, metrics))
        classifier = Slot("classifier", Version(classifies, luggage.classifies, metrics))
        staged = Staged(segmenter, classifier, steps)
        in_one_go = Straight(staged, steps, self.runners, threads, metrics)
        self.pipeline = Pipeline(
            segmenter,
            classifier,
            Shadows(lambda: False, threads, metrics),
            Admission(places),
            Ways(steps, staged, in_one_go, cores=1),
            metrics,
        )
        self.gone: defaultdict[int, list[tuple[str, float]]] = defaultdict(list)
        self.ended_at: dict[int, float] = {}
        self.deadlines: dict[int, float] = {}
        self.ends: list[Analysis | BaseException] = []
        self.at_work = 0
        self.broken: list[str] = []

    async def play(self) -> None:
        """Let everybody travel."""
        loop, tasks = asyncio.get_running_loop(), []
        with _clock_of_the_loop():
            for number, journey in enumerate(self.journeys):
                await asyncio.sleep(journey.after_s)
                tasks.append(asyncio.create_task(self._travel(number, journey)))
                if journey.leaves_s < math.inf:
                    loop.call_later(journey.leaves_s, tasks[-1].cancel)
            self.ends = await asyncio.gather(*tasks, return_exceptions=True)
            await self.pipeline.close()
            for stage in self.stages[1:3]:
                await stage.close()

    def legs(self, number: int) -> tuple[str, ...]:
        """Return the legs that a picture has gone, in their order."""
        return tuple(leg for leg, _ in self.gone[number])

    async def _travel(self, number: int, journey: Journey) -> Analysis:
        loop = asyncio.get_running_loop()
        self.deadlines[number] = loop.time() + journey.time_s
        urgency = Urgency(self.deadlines[number], journey.priority)
        try:
            return await self.pipeline.analyze(self.luggage.files[number], urgency=urgency)
        finally:
            self.ended_at[number] = loop.time()

    def _work(self, leg: str, work: Callable[[Any], Any]) -> Callable[[Sequence[Any]], list[Any]]:
        def pretended(rows: Sequence[Any]) -> list[Any]:
            (row,) = rows
            number = self.luggage.picture(leg, row)
            journey = self.journeys[number]
            self._begin(number, leg)
            self.at_work += 1
            self.note("more at work than runners", right=self.at_work <= self.runners.count)
            _sleep(journey.legs_s[LEGS.index(leg)])
            self.at_work -= 1
            if journey.fails_at == leg:
                raise RuntimeError(leg)
            if journey.fails_at == UNUSABLE and leg == "decode":
                return [picture.PictureError("it is no picture")]
            return [self.luggage.output(leg, row, work)]

        return pretended

    def _begin(self, number: int, leg: str) -> None:
        now = asyncio.get_running_loop().time()
        self.note("a leg was gone twice", right=leg not in self.legs(number))
        self.note("a leg was gone for nobody", right=self.ended_at.get(number, now) >= now)
        self.gone[number].append((leg, now))

    def note(self, wrong: str, *, right: bool) -> None:
        """Remember what is wrong: raised here, it would be taken for a failed run."""
        if not right:
            self.broken.append(wrong)


async def _thread(work: Callable[[], Any]) -> Any:
    """Do work that sleeps now and then; the loop goes on meanwhile, and then the work."""
    thread = greenlet.greenlet(work)
    thread.gr_context = contextvars.copy_context()
    handed_over = thread.switch()
    while not thread.dead:
        sleep: Awaitable[None] = handed_over
        try:
            await sleep
        except BaseException as error:  # noqa: BLE001 - whoever sleeps is told
            handed_over = thread.throw(error)
        else:
            handed_over = thread.switch()
    return handed_over


def _sleep(seconds: float) -> None:
    loop = greenlet.getcurrent().parent
    assert loop, "nobody sleeps on the event loop itself"
    loop.switch(asyncio.sleep(seconds))


@contextmanager
def _clock_of_the_loop() -> Iterator[None]:
    """Have legs timed on the virtual clock; otherwise both are the monotonic one."""
    with pytest.MonkeyPatch.context() as patch:
        now = asyncio.get_running_loop().time
        patch.setattr(straight, "time", SimpleNamespace(monotonic=now))
        yield
