"""Work behind its batcher, in threads of its own: a model, or a step of imaging."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Generic, TypeVar

import numpy as np

from services import telemetry
from services.inference.batch import Answer, Lone
from services.inference.batcher import Batcher
from services.inference.imaging import Pixels
from services.inference.metrics import Metrics
from services.inference.model_file import ModelRunError
from services.inference.model_statistics import Batches, Requests
from services.inference.observer import Observer
from services.inference.observers import ModelObserver
from services.inference.onnx_model import ModelOutputs, OnnxModel, Provenance
from services.inference.priority import WHENEVER, Urgency
from services.inference.runners import Runners

Row = TypeVar("Row")
Output = TypeVar("Output")

_log = telemetry.logger(__name__)

_WARM_ON_CPU = 4
"""On a CPU no shape is slow the first time; one row and a few tell the slope of the cost."""


class Stage(Batcher[Row, Output], Generic[Row, Output]):
    """Takes one row at a time, and runs them in threads as its batcher decides.

    Attributes:
        work: turns rows into as many outputs, None where there is none; it blocks.

    """

    def __init__(
        self,
        work: Callable[[Sequence[Row]], Sequence[Output | None]],
        runners: Runners,
        threads: Executor,
        observer: Observer,
        *,
        max_batch_size: int = 1,
        padded: bool = False,
        max_queue_delay_s: float = 0,
    ) -> None:
        """Build a stage.

        Args:
            work: turns rows into as many outputs, None where there is none; it may block.
            runners: permits to run, shared by the stages that share the hardware.
            threads: where the work is done; as many threads as runners.
            observer: is told what happens.
            max_batch_size: most rows in a batch.
            padded: see ``Batcher``.
            max_queue_delay_s: see ``Batcher``.

        """
        self.work = work
        self._threads = threads
        super().__init__(
            self._in_thread,
            runners,
            observer,
            max_batch_size=max_batch_size,
            padded=padded,
            max_queue_delay_s=max_queue_delay_s,
        )

    def note(self, lone: Lone[Row, Output]) -> None:
        """Take in a row that was run on another way than through this line."""
        well = lone.output is not None
        if well:
            self.sizing.cost.learn(1, lone.seconds, lone.began + lone.seconds)
        self.observer.ran(lone, 1, lone.seconds, well=well)

    async def _in_thread(self, rows: Sequence[Row]) -> Sequence[Output | None]:
        return await self._loop.run_in_executor(self._threads, self.work, rows)


class ModelStage(Stage[Pixels, ModelOutputs]):
    """A model behind its batcher.

    One model has one input shape, so what its batches cost depends on nothing but their size.

    Attributes:
        model: what runs.
        requests: what became of those that came.
        batches: those that were answered.

    """

    def __init__(
        self,
        model: OnnxModel,
        runners: Runners,
        threads: Executor,
        metrics: Metrics,
        *,
        max_batch_size: int,
        max_queue_delay_s: float = 0,
    ) -> None:
        """Build the stage of a model; ``warm_up`` comes before the first caller.

        On a GPU batches are padded to a few shapes, because the first run of each is slow; on
        a CPU padding would only be work.

        Args:
            model: what runs.
            runners: permits to run, shared by the stages that share the hardware.
            threads: where the runtime is called; as many threads as runners.
            metrics: what is observed.
            max_batch_size: most tensors in a batch.
            max_queue_delay_s: see ``Batcher``.

        """
        self.model = model
        self.requests = Requests()
        self.batches = Batches(ModelObserver(metrics, model.provenance))
        self._metrics = metrics
        super().__init__(
            self._run_model,
            runners,
            threads,
            self.batches,
            max_batch_size=max_batch_size,
            padded=model.on_device,
            max_queue_delay_s=max_queue_delay_s,
        )

    async def submit_all(
        self, rows: Sequence[Pixels], urgency: Urgency = WHENEVER, *, foreseen: bool = False
    ) -> list[Answer[ModelOutputs]]:
        """Do as a batcher does, and count what became of it."""
        began = time.monotonic()
        try:
            answers = await super().submit_all(rows, urgency, foreseen=foreseen)
        except BaseException:
            self.requests.fail.add(time.monotonic() - began)
            raise
        self.requests.answered(answers, time.monotonic() - began)
        return answers

    def note(self, lone: Lone[Pixels, ModelOutputs]) -> None:
        """Do as a stage does, and count the request."""
        super().note(lone)
        if lone.output is None:
            self.requests.fail.add(lone.seconds)
        else:
            queue_s = lone.began - lone.rows[0].arrived
            self.requests.answered([Answer(lone.output, queue_s, lone.seconds, 1)], lone.seconds)

    def warm_up(self) -> None:
        """Run every shape that callers will meet, and learn what it costs; this blocks.

        Raises:
            ModelRunError: the model fails on a blank picture.

        """
        size = self.model.input_size
        blank = np.zeros((size, size, 3), np.uint8)
        few = min(_WARM_ON_CPU, self.sizing.largest)
        for rows in self.sizing.shapes if self.model.on_device else sorted({1, few}):
            self._warm([blank] * rows)  # the first run of a shape is slow, and tells nothing
            began = time.perf_counter()
            self._warm([blank] * rows)
            self.sizing.cost.learn(rows, time.perf_counter() - began, time.monotonic())

    def _warm(self, rows: Sequence[Pixels]) -> None:
        before = self.model.provenance
        self._note_where(self.model.run(rows), before)

    def _run_model(self, rows: Sequence[Pixels]) -> list[ModelOutputs | None]:
        before = self.model.provenance
        try:
            outputs = self.model.run_each(rows)
        except ModelRunError as error:
            if len(rows) > 1:  # each may be run alone yet, and nearly all be answered
                _log.warning("a batch failed", rows=len(rows), reason=str(error))
            raise
        self._note_where(outputs, before)
        return outputs

    def _note_where(self, outputs: Sequence[ModelOutputs | None], before: Provenance) -> None:
        """Note it where a batch ran elsewhere than ``before`` it was expected to."""
        # Where a row has none, it is not the backend that was at fault.
        if all(output is not None and output.provenance != before for output in outputs):
            self._metrics.ran_elsewhere(before, self.model.provenance)
            # Without the card there is nothing that padding is good for.
            self.sizing.padded = self.model.on_device
