"""What rows that came now would wait and run, by what runs are measured to cost."""

import math
from collections.abc import Mapping

from services.inference.forecast import Forecast
from services.inference.priority import Priority
from services.inference.runners import NOBODY, Contender, Runners
from services.inference.sizing import Sizing


class Foresight:
    """Deals what runs and waits out to the runners, as far as it comes before new rows."""

    def __init__(self, contender: Contender, runners: Runners, sizing: Sizing) -> None:
        """Foresee for one of those who share the runners.

        Args:
            contender: whose rows they would be.
            runners: shared with others.
            sizing: how large the contender's batches are made, and what they cost.

        """
        self._contender = contender
        self._runners = runners
        self._sizing = sizing

    def of(
        self,
        priority: Priority,
        rows: int,
        *,
        since: float,
        coming: Mapping[Contender, int],
        now: float,
        in_doubt: bool,
    ) -> Forecast:
        """Return what rows would wait and run, in a batch with others that wait.

        Args:
            priority: how soon they are needed.
            rows: how many.
            since: when their request came; infinity for just now.
            coming: rows of each contender that are on their way, and will be there before.
            now: the moment, on the event loop's clock.
            in_doubt: the measured cost is too old to refuse anybody for it.

        """
        ahead = self._runners.ahead(priority, rows, since)
        own = ahead.pop(self._contender, NOBODY)
        first = own.rows + coming.get(self._contender, 0)
        schedule = self._runners.schedule(now)
        for other in self._runners.contenders:
            others = ahead.get(other, NOBODY)
            if other is not self._contender and (before_it := others.rows + coming.get(other, 0)):
                other.deal(before_it, schedule, alone=others.alone)
        if not first and in_doubt:
            return Forecast(schedule.next_s, 0.0)
        schedule.deal(own.alone, self._sizing.seconds(1))
        first -= own.alone
        size = self._sizing.best(first + rows)
        seconds = self._sizing.seconds(size)  # those who come later fill the last batch up
        before = first // size  # the last of those ahead share a batch with these
        schedule.deal(before, seconds)
        wait_s = schedule.next_s
        end_s = schedule.deal(math.ceil((first + rows) / size) - before, seconds)
        return Forecast(wait_s, end_s - wait_s)
