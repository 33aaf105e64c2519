"""Batchers that tests hold in their hands: through a gate, or busy in virtual time."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from services.inference.batch import Answer
from services.inference.batcher import Batcher
from services.inference.priority import Priority, Urgency
from services.inference.runners import Runners
from tests.inference.hardware import Hardware, Tally

BULK = Urgency(priority=Priority.BULK)


class Gate:
    """A run that the test lets through, batch by batch, and that remembers what it saw."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.began = asyncio.Semaphore(0)
        self.open = asyncio.Semaphore(0)

    def let_through(self, batches: int) -> None:
        for _ in range(batches):
            self.open.release()

    async def run(self, rows: Sequence[int]) -> list[int]:
        self.batches.append(list(rows))
        self.began.release()
        await self.open.acquire()
        return [row * 10 for row in rows]


@asynccontextmanager
async def batching(gate: Gate, runners: int = 1) -> AsyncIterator[Batcher[int, int]]:
    batcher = Batcher(gate.run, Runners(runners), Tally(), max_batch_size=4)
    teach(batcher, lambda rows: 1 + rows)
    yield batcher
    gate.let_through(1000)
    await batcher.close()


@asynccontextmanager
async def held(runners: Runners) -> AsyncIterator[None]:
    """Let nobody else run, as when all runners are at work for long."""
    gate = Gate()
    blocker = Batcher(gate.run, runners, Tally(), max_batch_size=1)
    running = [asyncio.create_task(blocker.submit(0)) for _ in range(runners.count)]
    for _ in running:
        await gate.began.acquire()
    yield
    gate.let_through(runners.count)
    await asyncio.gather(*running)
    await blocker.close()


def teach(batcher: Batcher[int, int], seconds: Callable[[int], float]) -> None:
    """Let a batcher know what its batches cost, as after a while of work."""
    for rows in (1, 2, 4) * 20:
        batcher.sizing.cost.learn(rows, seconds(rows), time.monotonic())


async def waiting(batcher: Batcher[int, int], rows: int) -> None:
    while batcher.queue_size < rows:  # noqa: ASYNC110 - one turn of the loop, no time passes
        await asyncio.sleep(0)


class Busy:
    """One runner that needs a second a row, has learned so, and runs row 0 at this moment."""

    def __init__(self) -> None:
        self.tally = Tally()
        self.hardware = Hardware(lambda rows: 1.0 * rows)
        self.batcher = Batcher(self.hardware.run, Runners(1), self.tally, max_batch_size=4)
        for rows in (1, 4) * 5:
            self.batcher.sizing.cost.learn(rows, 1.0 * rows, 0)
        self.running = self.ask(0)

    def ask(self, row: int, urgency: Urgency = BULK) -> "asyncio.Task[Answer[int]]":
        return asyncio.create_task(self.batcher.submit(row, urgency))


async def outcome(task: "asyncio.Task[Answer[int]]") -> type:
    """Return the kind of an error, or of an answer."""
    (result,) = await asyncio.gather(task, return_exceptions=True)
    return type(result)
