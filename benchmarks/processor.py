"""Processor time of other processes."""

from collections.abc import Iterable

import psutil


class Meter:
    """Adds up the processor time of some processes, threads and all, children not."""

    def __init__(self, pids: Iterable[int]) -> None:
        """Build for running processes."""
        self._processes = [psutil.Process(pid) for pid in pids]

    def seconds(self) -> float:
        """Return the seconds that they have used so far, in user and system mode."""
        times = [process.cpu_times() for process in self._processes]
        return float(sum(each.user + each.system for each in times))
