"""What a model has done since it began to answer, whichever protocol asked."""

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from services.inference.batch import Answer, Batch
from services.inference.observer import Observer


@dataclass(slots=True)
class Total:
    """How often something happened, and how many seconds it took in all."""

    count: int = 0
    seconds: float = 0.0

    def add(self, seconds: float) -> None:
        """Count once more."""
        self.count += 1
        self.seconds += seconds


@dataclass(slots=True)
class Requests:
    """What became of the requests to one model; a request has one row or more.

    Attributes:
        success: those that were answered, from coming into line to the answer.
        fail: those that came into line and were not: too late, failed, or left by their callers.
        queue: what the last row of each answered request waited for a runner.
        run: what the batch of that row ran, and one before that had no answer for it.
        rows: rows that were answered.
        last_answered: when one was answered last, in seconds since 1970 (UTC); 0 for never.

    """

    success: Total = field(default_factory=Total)
    fail: Total = field(default_factory=Total)
    queue: Total = field(default_factory=Total)
    run: Total = field(default_factory=Total)
    rows: int = 0
    last_answered: float = 0.0

    def answered(self, answers: Sequence[Answer[Any]], seconds: float) -> None:
        """Count a request with the answers to its rows."""
        last = max(answers, key=lambda answer: answer.queue_s + answer.run_s)
        self.success.add(seconds)
        self.queue.add(last.queue_s)
        self.run.add(last.run_s)
        self.rows += len(answers)
        self.last_answered = time.time()


class Batches:
    """Counts the batches of one model by size, and tells another observer of them."""

    def __init__(self, observer: Observer) -> None:
        """Begin with none."""
        self.by_size: defaultdict[int, Total] = defaultdict(Total)
        self._observer = observer
        self.caller = observer.caller
        self.expired = observer.expired
        self.cancelled = observer.cancelled

    def ran(self, batch: Batch[Any, Any], shape: int, seconds: float, *, well: bool) -> None:
        """Count a batch that was answered by its rows, without copies."""
        if well:
            self.by_size[len(batch.rows)].add(seconds)
        self._observer.ran(batch, shape, seconds, well=well)
