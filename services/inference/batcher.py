"""Forms batches while the runners are busy.

A row leaves at once when a runner is free; what arrives while all are busy forms the next
batches. Nobody waits for a batch to fill. The batcher knows neither gRPC nor ONNX; who may
come in at all is decided by admission.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Row = TypeVar("Row")
Output = TypeVar("Output")


class DrainingError(Exception):
    """The batcher is closing and takes no more rows."""

    def __init__(self) -> None:
        super().__init__("the service is shutting down: try again, another replica will answer")


class BatchError(Exception):
    """The run that a row was part of failed."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[Output]):
    """What became of a row.

    Attributes:
        output: what the run returned for this row.
        queue_s: seconds that the row waited for a runner.
        run_s: seconds that its batch ran.
        batch_size: rows in that batch.

    """

    output: Output
    queue_s: float
    run_s: float
    batch_size: int


class Runners:
    """Permits to run: one for each batch that the hardware takes at the same time."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._permits = asyncio.Semaphore(count)

    async def acquire(self) -> None:
        """Wait for a permit; who asked first gets it first."""
        await self._permits.acquire()

    def release(self) -> None:
        """Give a permit back."""
        self._permits.release()


@dataclass(slots=True, eq=False)
class _Waiting(Generic[Row, Output]):
    row: Row
    future: asyncio.Future[Answer[Output]]
    arrived: float = field(default_factory=time.monotonic)


class Batcher(Generic[Row, Output]):
    """Gathers rows into batches and hands every answer to the caller who asked for it."""

    def __init__(
        self,
        run: Callable[[Sequence[Row]], Awaitable[Sequence[Output]]],
        runners: Runners,
        *,
        max_batch_size: int,
    ) -> None:
        """Build a batcher; it works once ``start`` was called.

        Args:
            run: turns a batch of rows into as many outputs, in order.
            runners: the permits to run; batchers that share the hardware share them.
            max_batch_size: most rows in a batch.

        """
        self._run = run
        self._runners = runners
        self._max_batch_size = max_batch_size
        self._waiting: deque[_Waiting[Row, Output]] = deque()
        self._arrival = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._dispatcher: asyncio.Task[None] | None = None
        self._closed = False

    def start(self) -> None:
        """Begin to form batches, on the running event loop."""
        self._dispatcher = asyncio.create_task(self._dispatch())

    async def submit(self, row: Row) -> Answer[Output]:
        """Wait for a row's turn and return its answer.

        A caller who is cancelled while waiting is never run; one who is cancelled while its
        batch runs takes nothing from its batch-mates.

        Raises:
            DrainingError: the batcher is closing.
            BatchError: the run failed.

        """
        if self._closed:
            raise DrainingError
        waiting = _Waiting[Row, Output](row, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._arrival.set()
        return await waiting.future

    async def close(self) -> None:
        """Take no more rows, run those that wait, and return when the last one is answered."""
        self._closed = True
        self._arrival.set()
        if self._dispatcher is not None:
            await self._dispatcher
        await asyncio.gather(*self._running)

    @property
    def queue_size(self) -> int:
        """Rows that wait for a runner now."""
        return len(self._waiting)

    async def _dispatch(self) -> None:
        while await self._something_waits():
            await self._runners.acquire()
            batch = self._take()
            if not batch:  # all of them left while the runners were busy
                self._runners.release()
                continue
            task = asyncio.create_task(self._answer(batch))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _something_waits(self) -> bool:
        while not self._waiting:
            if self._closed:
                return False
            self._arrival.clear()
            await self._arrival.wait()
        return True

    def _take(self) -> list[_Waiting[Row, Output]]:
        """Take the oldest rows: this runner's share of them, at most a full batch."""
        share = math.ceil(len(self._waiting) / self._runners.count)
        size = min(self._max_batch_size, share)
        batch: list[_Waiting[Row, Output]] = []
        while self._waiting and len(batch) < size:
            waiting = self._waiting.popleft()
            if not waiting.future.done():
                batch.append(waiting)
        return batch

    async def _answer(self, batch: list[_Waiting[Row, Output]]) -> None:
        began = time.monotonic()
        try:
            outputs = await self._run([waiting.row for waiting in batch])
            _hand_out(batch, outputs, began)
        except Exception as error:  # noqa: BLE001 - whatever it was, nobody may wait for ever
            _fail(batch, error)
        finally:
            self._runners.release()


def _hand_out(batch: list[_Waiting[Row, Output]], outputs: Sequence[Output], began: float) -> None:
    run_s = time.monotonic() - began
    if len(outputs) != len(batch):
        message = f"the run answered {len(outputs)} rows of {len(batch)}"
        raise BatchError(message)
    for waiting, output in zip(batch, outputs, strict=True):
        if not waiting.future.done():
            queue_s = began - waiting.arrived
            waiting.future.set_result(Answer(output, queue_s, run_s, len(batch)))


def _fail(batch: list[_Waiting[Row, Output]], cause: Exception) -> None:
    for waiting in batch:
        if not waiting.future.done():
            failure = BatchError("the model run failed")
            failure.__cause__ = cause
            waiting.future.set_exception(failure)
