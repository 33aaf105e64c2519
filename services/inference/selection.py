"""Who goes into the next batch: by turns and by age, as many as can be done in time."""

import math
from collections.abc import Callable
from typing import Generic, TypeVar

from services.inference.line import Line, Waiting
from services.inference.priority import BULK_SHARE, Priority, Turns
from services.inference.refusal import DeadlinePassedError, TooLateError
from services.inference.sizing import Sizing

Row = TypeVar("Row")

_STRETCH = BULK_SHARE / (BULK_SHARE - 1)
"""Bulk that fills up a batch makes it longer for the interactive rows by no more than this."""


class Selection(Generic[Row]):
    """Takes batches out of a line."""

    def __init__(
        self, line: Line[Row], sizing: Sizing, drop: Callable[[Waiting[Row]], None]
    ) -> None:
        """Choose from a line.

        Args:
            line: who waits.
            sizing: how large batches are made, and what they cost.
            drop: forgets a row whose caller is gone, or whose time is up, and counts it.

        """
        self._line = line
        self._sizing = sizing
        self._drop = drop

    def take(self, turns: Turns, now: float, *, in_doubt: bool) -> list[Waiting[Row]]:
        """Take the next batch out; whoever left or cannot be done in time is left out.

        Args:
            turns: of interactive and bulk rows.
            now: the moment, on the deadlines' clock.
            in_doubt: the measured cost is too old to refuse anybody for it.

        Returns:
            The rows, none if nobody is left.

        """
        together = len(self._line) - sum(map(self._line.alone, Priority))
        size = self._sizing.next(together, self._slack_s(now)) if together else 1
        batch: list[Waiting[Row]] = []
        while len(batch) < size and (waiting := self._head(turns)) is not None:
            if self._turned_away(waiting, now, in_doubt=in_doubt):
                continue
            if batch and not self._may_join(waiting, batch, turns, now):
                break
            self._line.remove(waiting)
            turns.took(waiting.priority)
            batch.append(waiting)
            if waiting.alone:
                break
        return batch

    def _head(self, turns: Turns) -> Waiting[Row] | None:
        interactive, bulk = (self._line.count(priority) > 0 for priority in Priority)
        return self._line.oldest(turns.next(interactive=interactive, bulk=bulk))

    def _slack_s(self, now: float) -> float:
        return min((head.latest - now for head in self._line.heads()), default=math.inf)

    def _turned_away(self, waiting: Waiting[Row], now: float, *, in_doubt: bool) -> bool:
        """Turn away whose caller is gone, or who has waited so long that it would be late."""
        late_s = now + self._sizing.seconds(1) - waiting.latest
        if not waiting.is_wanted:
            self._drop(waiting)
        elif now >= waiting.deadline:
            waiting.fail(DeadlinePassedError())
            self._drop(waiting)
        elif late_s > 0 and not in_doubt:
            waiting.fail(TooLateError(late_s))
            self._line.remove(waiting)
        else:
            return False
        return True

    def _may_join(
        self, waiting: Waiting[Row], batch: list[Waiting[Row]], turns: Turns, now: float
    ) -> bool:
        """Say whether the batch may become larger by this row, for the sake of the others."""
        if waiting.alone:
            return False
        seconds = self._sizing.seconds(len(batch) + 1)
        if seconds > min(each.latest for each in (*batch, waiting)) - now:
            return False  # one of them would be late
        interactive = sum(each.priority is Priority.INTERACTIVE for each in batch)
        if waiting.priority is Priority.INTERACTIVE or not interactive or turns.bulk_is_due:
            return True
        return seconds <= _STRETCH * self._sizing.seconds(interactive)
