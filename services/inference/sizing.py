"""How large a batch is made, and what it should cost."""

import math
from collections.abc import Callable, Iterator

from services.inference.cost import Cost
from services.inference.schedule import Schedule

Seconds = Callable[[int], float]
"""Says how long a batch of so many rows runs."""

_EXPLORE_EVERY = 128
"""One batch in so many has another size than the best, so that what was learned stays true."""

_EXPLORE_EVERY_AT_FIRST = 8
"""The same for the first of them, and after the cost has changed, while little is known."""

_EXPLORING_SLACK = 4
"""A batch explores only where this many times its cost is left before any deadline."""


class Sizing:
    """Chooses sizes for one model by the cost of the batches that it ran.

    Attributes:
        cost: of a batch, as it was measured.
        largest: most rows in a batch.
        padded: whether batches are filled up to a power of two, or to the largest size.

    """

    def __init__(self, runners: int, largest: int, *, padded: bool) -> None:
        """Begin without a measurement.

        Args:
            runners: batches that can run at the same time.
            largest: most rows in a batch.
            padded: see there.

        """
        self.cost = Cost()
        self.largest = largest
        self._runners = runners
        self.padded = padded
        self._chosen = 0
        self._upheavals = 0

    @property
    def shapes(self) -> tuple[int, ...]:
        """Every size that a batch can have as it runs, smallest first."""
        return tuple(sorted({self.shape(rows) for rows in range(1, self.largest + 1)}))

    def shape(self, rows: int) -> int:
        """Return the size of a batch as it runs, padding included."""
        return min(self.largest, 1 << (rows - 1).bit_length()) if self.padded else rows

    def seconds(self, rows: int) -> float:
        """Return how long a batch of so many rows should run."""
        return self.cost.seconds(self.shape(rows))

    def deal(self, rows: int, schedule: Schedule, *, alone: int = 0) -> None:
        """Give rows to a schedule, in the batches that they would make; the first ones alone."""
        schedule.deal(alone, self.seconds(1))
        if together := rows - alone:
            size = self.best(together)
            batches, rest = divmod(together, size)
            schedule.deal(batches, self.seconds(size))
            schedule.deal(min(rest, 1), self.seconds(rest or 1))

    def next(self, waiting: int, slack_s: float) -> int:
        """Return the size of the next batch.

        It is the best one; but now and then, where nobody is in a hurry, a neighbor of it,
        which tells how much a row and how much a run costs.

        Args:
            waiting: rows in the line, at least 1.
            slack_s: seconds before the deadline of whoever has waited longest.

        """
        best = self.best(waiting)
        if not self._explores():
            return best
        other = best * 2 if best * 2 <= min(waiting, self.largest) else best // 2
        unhurried = slack_s > _EXPLORING_SLACK * self.seconds(max(other, best))
        return other if other and unhurried else best

    def _explores(self) -> bool:
        if self._upheavals != self.cost.upheavals:
            self._upheavals, self._chosen = self.cost.upheavals, 0
        self._chosen += 1
        young = self._chosen <= _EXPLORE_EVERY
        return self._chosen % (_EXPLORE_EVERY_AT_FIRST if young else _EXPLORE_EVERY) == 0

    def best(self, waiting: int) -> int:
        """Return the size that serves so many waiting rows, and those who come, soonest."""
        return best(waiting, self._runners, self.largest, self._surely_seconds)

    def _surely_seconds(self, rows: int) -> float:
        return self.cost.surely_seconds(self.shape(rows))


def best(waiting: int, runners: int, largest: int, seconds: Seconds) -> int:
    """Return the batch size that serves those who wait, and those who come, soonest.

    Two times are added up for each size. The first is when the waiting rows are done on
    average, with all runners at work: small batches win where rows dominate the cost, because
    the first are done early and no runner idles. The second is how long the runners are busy
    with them, which is what whoever comes next must wait: large batches win where the run
    itself dominates. With cost ``a * n + b`` and many waiting, the sum is least near
    ``sqrt(3 * waiting * b / (a * runners))``: one row a batch where b is nothing, full batches
    where b is much, and larger ones the more is waiting.

    Args:
        waiting: rows in the line, at least 1.
        runners: batches that can run at the same time.
        largest: most rows in a batch.
        seconds: the cost, not falling with the size.

    """
    if waiting == 1 or largest == 1:  # nothing to choose, and asked several times a picture
        return 1

    def price(size: int) -> float:
        batches = math.ceil(waiting / size)
        busy_s = batches * seconds(size) / runners
        return _mean_completion(waiting, size, runners) * seconds(size) + busy_s

    # Of equals the larger: one run less is one run less.
    return min(_candidates(min(waiting, largest), waiting, runners), key=lambda n: (price(n), -n))


def _candidates(most: int, waiting: int, runners: int) -> Iterator[int]:
    size = 1
    while size < most:
        yield size
        size *= 2
    yield most
    yield min(most, math.ceil(waiting / runners))


def _mean_completion(waiting: int, size: int, runners: int) -> float:
    """Return after how many rounds of batches a row is done on average."""
    batches = math.ceil(waiting / size)
    rounds, rest = divmod(batches, runners)
    total = size * (runners * rounds * (rounds + 1) / 2 + rest * (rounds + 1))
    missing = batches * size - waiting  # the last batch is not full
    return (total - missing * math.ceil(batches / runners)) / waiting
