"""Runs batches, and hands every row its answer; whoever has none beside others may come again.

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

    async def answer(self, batch: Batch[Row, Output]) -> list[Waiting[Row]]:
        """Run a batch, and answer its rows, with an error if need be.

        Returns:
            Those that are not answered yet, and deserve a run of their own: never a row that
            was by itself, so nobody comes again twice.

        """
        try:
            left = await self._left_by(batch)
        except BaseException as error:  # also where whoever counts has failed
            batch.fail(error)
            raise
        again = [waiting for waiting in left if waiting.is_wanted]
        for waiting in again:
            waiting.come_again(batch.began, self._now())
        return again

    async def _left_by(self, batch: Batch[Row, Output]) -> Sequence[Waiting[Row]]:
        """Run a batch, and return whom it left without an answer that another run may have."""
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
            if not isinstance(error, Exception):
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
    return isinstance(error, Exception) and not isinstance(error, MemoryError | BatchError)
