"""Hardware that takes virtual time, and somebody who counts what happens on it."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from services.inference.batch import Batch
from services.inference.line import Waiting


class Tally:
    """Counts what a batcher tells its observer."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.padding = 0
        self.failed = 0
        self.left: Counter[str] = Counter()

    def ran(self, batch: Batch[Any, Any], shape: int, seconds: float, *, well: bool) -> None:
        assert seconds >= 0
        assert all(batch.began >= row.arrived for row in batch.rows)
        self.batches.append(len(batch.rows))
        self.padding += shape - len(batch.rows)
        self.failed += not well

    def caller(self) -> None:
        return None

    def expired(self, waiting: Waiting[Any]) -> None:
        del waiting
        self.left["expired"] += 1

    def cancelled(self, waiting: Waiting[Any]) -> None:
        del waiting
        self.left["cancelled"] += 1


class Hardware:
    """Runs batches of numbers: each comes back tenfold, after the time that its batch costs."""

    def __init__(self, seconds: Callable[[int], float]) -> None:
        self.seconds = seconds
        self.batches: list[list[int]] = []

    async def run(self, rows: Sequence[int]) -> list[int]:
        self.batches.append(list(rows))
        await asyncio.sleep(self.seconds(len(rows)))
        return [row * 10 for row in rows]
