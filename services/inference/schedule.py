"""When each runner is free again, as batches are dealt out to whichever is free first."""

import heapq
from collections.abc import Iterable


class Schedule:
    """A plan of what the runners will do; times are seconds from now."""

    def __init__(self, free_in_s: Iterable[float]) -> None:
        """Begin with what runs already.

        Args:
            free_in_s: for each runner, at least one, seconds until it is free; zero if it is.

        """
        self._free_in_s = list(free_in_s)
        heapq.heapify(self._free_in_s)

    @property
    def next_s(self) -> float:
        """Seconds until the next batch could begin."""
        return self._free_in_s[0]

    def deal(self, batches: int, seconds: float) -> float:
        """Give batches of one length to the runners, and return when the last of them ends.

        Whole rounds, in which each runner gets one, are counted and not played: a long line
        is reckoned up as fast as a short one.
        """
        if not batches or not seconds:
            return self.next_s
        end_s = latest_s = max(self._free_in_s)
        while batches and self.next_s + seconds < latest_s:
            end_s = self._deal_one(seconds)
            batches -= 1
        rounds, rest = divmod(batches, len(self._free_in_s))
        if rounds:
            self._free_in_s = [free_s + rounds * seconds for free_s in self._free_in_s]
            end_s = max(self._free_in_s)
        for _ in range(rest):
            end_s = self._deal_one(seconds)
        return end_s

    def _deal_one(self, seconds: float) -> float:
        end_s = self.next_s + seconds
        heapq.heapreplace(self._free_in_s, end_s)
        return end_s
