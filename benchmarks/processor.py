"""Processor time of other processes."""

import time
from collections.abc import Iterable

_OF_ALL_THREADS = 2
"""CPUCLOCK_SCHED: what the scheduler gave to a process, to the nanosecond.

/proc, and so psutil, tells it in ticks of 10 ms, of which a short turn on a busy machine has none.
"""


class Meter:
    """Adds up the processor time of some processes, threads and all, children not."""

    def __init__(self, pids: Iterable[int]) -> None:
        """Build for running processes.

        Raises:
            ProcessLookupError: one is gone already.

        """
        self._clocks = [_clock_of(pid) for pid in pids]

    def seconds(self) -> float:
        """Return the seconds that they have used so far, in user and system mode."""
        return sum(time.clock_gettime(clock) for clock in self._clocks)


def _clock_of(pid: int) -> int:
    """Return the id of a process's clock, which Linux makes of its number (clock_getcpuclockid)."""
    clock = (~pid << 3) | _OF_ALL_THREADS
    try:
        time.clock_gettime(clock)
    except OSError as error:
        raise ProcessLookupError(f"there is no process {pid}") from error
    return clock
