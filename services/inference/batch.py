"""Rows that run together, and the answer that each of them gets."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from services.inference.line import Waiting
from services.inference.refusal import MemoryShortError

Row = TypeVar("Row")
Output = TypeVar("Output")


class BatchError(Exception):
    """The run that a row was part of failed."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[Output]):
    """What became of a row.

    Attributes:
        output: what the run returned for this row.
        queue_s: seconds that the row waited for a runner, each time that it did.
        run_s: seconds that its batch ran, and one before that had no answer for it.
        batch_size: rows in the batch that had, without padding.

    """

    output: Output
    queue_s: float
    run_s: float
    batch_size: int


@dataclass(frozen=True, slots=True)
class Batch(Generic[Row, Output]):
    """Rows that were taken out of the line.

    Attributes:
        rows: with those who wait for them.
        began: when it began to run, on the event loop's clock.

    """

    rows: Sequence[Waiting[Row]]
    began: float

    def filled_up_to(self, shape: int) -> list[Row]:
        """Return what is to be run, with copies of the first row up to so many."""
        rows = [waiting.row for waiting in self.rows]
        return rows + rows[:1] * (shape - len(rows))

    def hand_out(
        self, outputs: Sequence[Output | None], now: float, shape: int
    ) -> list[Waiting[Row]]:
        """Give every row its own output; those of copies, and of who left, are dropped.

        Returns:
            The rows that there was no output for.

        Raises:
            BatchError: there are not as many outputs as rows were run, or none at all.

        """
        if len(outputs) != shape:
            message = f"the run answered {len(outputs)} rows of {shape}"
            raise BatchError(message)
        own = list(zip(self.rows, outputs[: len(self.rows)], strict=True))
        left = [waiting for waiting, output in own if output is None]
        if len(left) == len(own):
            raise BatchError("the run answered no row")
        for waiting, output in own:
            if output is not None and not waiting.future.done():
                queue_s = waiting.waited_s + self.began - waiting.arrived
                run_s = waiting.ran_s + now - self.began
                waiting.future.set_result(Answer(output, queue_s, run_s, len(self.rows)))
        return left

    def an_output(self) -> Output | None:
        """Return what one of the rows was answered with; None where none was."""
        for waiting in self.rows:
            future = waiting.future
            if future.done() and not future.cancelled() and not future.exception():
                output: Output = future.result().output
                return output
        return None

    def fail(self, cause: BaseException) -> None:
        """Tell everybody who still waits that the run failed."""
        for waiting in self.rows:
            failure = _failure(cause)
            failure.__cause__ = cause
            waiting.fail(failure)


@dataclass(frozen=True, slots=True)
class Lone(Batch[Row, Output]):
    """A row that was run by itself, on another way than through its own line.

    Attributes:
        output: what became of it; None where the run failed.
        seconds: that it ran.

    """

    output: Output | None
    seconds: float

    def an_output(self) -> Output | None:
        """Return what the row was answered with; None where it was not."""
        return self.output


def _failure(cause: BaseException) -> Exception:
    if isinstance(cause, MemoryError):
        return MemoryShortError()
    return BatchError("the model run failed")
