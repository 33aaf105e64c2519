"""Runs batches, and hands every row its answer; whoever has none beside others is run once alone.

One row that a model cannot bear so costs its mates some time, and never their answers.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from services.inference.batch import Batch, BatchError
from services.inference.line import Waiting
from services.inference.observer import Observer
from services.inference.sizing import Sizing

Row = TypeVar("Row")
Output = TypeVar("Output")


class Execution(Generic[Row, Output]):
    """Runs what was taken out of a line."""

    def __init__(
        self,
        run: Callable[[Sequence[Row]], Awaitable[Sequence[Output | None]]],
        sizing: Sizing,
        observer: Observer,
    ) -> None:
        """Build from who does the work.

        Args:
            run: turns a batch of rows into as many outputs, in order; None for a row that it has
                none for.
            sizing: of the batches; learns what they cost.
            observer: is told of every run.

        """
        self._loop = asyncio.get_running_loop()
        self._run = run
        self._sizing = sizing
        self._observer = observer

    async def answer(self, batch: Batch[Row, Output]) -> None:
        """Run a batch until each of its rows is answered, with an error if need be."""
        try:
            for waiting in await self._answered(batch):
                if waiting.is_wanted and self._now() < waiting.deadline:
                    waiting.queued = False  # its wait has been counted
                    await self._answered(Batch([waiting], self._now()))
        except BaseException as error:  # also where whoever counts has failed
            batch.fail(error)
            raise

    async def _answered(self, batch: Batch[Row, Output]) -> Sequence[Waiting[Row]]:
        """Run a batch once, and return those of its rows that deserve a run of their own."""
        shape = self._sizing.shape(len(batch.rows))
        left: Sequence[Waiting[Row]] = ()
        well = False
        try:
            outputs = await self._run(batch.filled_up_to(shape))
            left = batch.hand_out(outputs, self._now(), shape)
            self._sizing.cost.learn(shape, self._now() - batch.began, self._now())
            well = True
        except BaseException as error:
            # Whatever it was, nobody may wait for ever: not even when the run was cancelled.
            if len(batch.rows) > 1 and _may_be_the_fault_of_one(error):
                left = batch.rows
            else:
                batch.fail(error)
            if not isinstance(error, Exception | asyncio.CancelledError):
                raise
        finally:
            self._observer.ran(batch, shape, self._now() - batch.began, well=well)
            # An error keeps this frame, and would be kept by it: rows would stay in memory.
            del batch
        return left

    def _now(self) -> float:
        return self._loop.time()


def _may_be_the_fault_of_one(error: BaseException) -> bool:
    """Say whether others may be answered without a row.

    Who lacks memory is not asked for more, and who mixes up rows not trusted with others.
    """
    short = isinstance(error, MemoryError) or isinstance(error.__cause__, MemoryError)
    return isinstance(error, Exception) and not (short or isinstance(error, BatchError))
