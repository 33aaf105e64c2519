"""The rows that wait for a runner: oldest first, interactive and bulk apart."""

import asyncio
import math
from bisect import bisect_left, bisect_right, insort_left, insort_right
from collections import Counter
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from services.inference.priority import Priority, Request

Row = TypeVar("Row")


@dataclass(slots=True, eq=False)
class Waiting(Generic[Row]):
    """A row in the line.

    Attributes:
        row: what is to be run.
        deadline: when its answer is of no more use, on the event loop's clock.
        priority: how soon it is needed.
        since: when the request that it belongs to came, on the event loop's clock.
        arrived: when it came into this line itself.
        future: where its caller waits.
        request: what it belongs to.
        then_s: seconds of work that must follow before the deadline, once it has run.
        caller: who asked, in the words of whoever observes; None where nobody asks.
        queued: whether it waited for its run in a line at all.
        alone: a batch that it was in could not answer it; it runs once more, by itself.
        waited_s: seconds that it had waited before that batch.
        ran_s: seconds that that batch ran.

    """

    row: Row
    deadline: float
    priority: Priority
    since: float
    arrived: float
    future: asyncio.Future[Any]
    request: Request
    then_s: float = 0.0
    caller: Any = None
    queued: bool = True
    alone: bool = False
    waited_s: float = 0.0
    ran_s: float = 0.0

    @property
    def latest(self) -> float:
        """When its run must have ended, on the event loop's clock."""
        return self.deadline - self.then_s

    @property
    def is_wanted(self) -> bool:
        """Whether somebody still waits who can use it."""
        return not (self.future.done() or self.request.is_lost)

    def come_again(self, began: float, now: float) -> None:
        """Note that a run from then until now had no answer for it: it waits for its own."""
        self.waited_s, self.ran_s = began - self.arrived, now - began
        self.arrived, self.alone = now, True

    def fail(self, error: Exception) -> None:
        """Answer the caller with an error, if it still waits; its request is lost with it."""
        self.request.is_lost = True
        if not self.future.done():
            self.future.set_exception(error)


class Line(Generic[Row]):
    """Who waits, by when their requests came; whoever leaves is gone at once.

    Rows arrive nearly in that order: those of a request that was held up elsewhere find their
    place before those that came after it, and so do those that come again.
    """

    def __init__(self) -> None:
        """Begin empty."""
        self._rows: dict[Priority, list[Waiting[Row]]] = {priority: [] for priority in Priority}
        self._alone: Counter[Priority] = Counter()

    def __len__(self) -> int:
        return sum(map(len, self._rows.values()))

    def count(self, priority: Priority, since: float = math.inf) -> int:
        """Return how many rows of a priority wait whose requests came until then."""
        rows = self._rows[priority]
        return len(rows) if since == math.inf else bisect_right(rows, since, key=_since)

    def alone(self, priority: Priority) -> int:
        """Return how many rows of a priority wait for a run of their own, nearly all in front."""
        return self._alone[priority]

    def add(self, waiting: Waiting[Row]) -> None:
        """Let a row join, behind those that came at the same moment; who comes again, before."""
        insort = insort_left if waiting.alone else insort_right
        insort(self._rows[waiting.priority], waiting, key=_since)
        self._alone[waiting.priority] += waiting.alone

    def remove(self, waiting: Waiting[Row]) -> bool:
        """Take a row out, and say whether it was there."""
        rows = self._rows[waiting.priority]
        for place in range(bisect_left(rows, waiting.since, key=_since), len(rows)):
            if rows[place] is waiting:
                del rows[place]
                self._alone[waiting.priority] -= waiting.alone
                return True
            if rows[place].since > waiting.since:
                break
        return False

    def oldest(self, priority: Priority) -> Waiting[Row] | None:
        """Return the row of a priority whose request came first."""
        rows = self._rows[priority]
        return rows[0] if rows else None

    def heads(self) -> list[Waiting[Row]]:
        """Return the oldest row of each priority that waits."""
        return [rows[0] for rows in self._rows.values() if rows]


def _since(waiting: Waiting[Any]) -> float:
    return waiting.since
