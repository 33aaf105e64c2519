"""What a process holds: memory, open files, threads."""

from dataclasses import dataclass
from typing import Self

import psutil


@dataclass(frozen=True, slots=True)
class Footprint:
    """One look at a process.

    Attributes:
        resident_mb: resident memory, in MiB.
        open_files: file descriptors, sockets and pipes included.
        threads: all of them, those of libraries included.

    """

    resident_mb: float
    open_files: int
    threads: int

    @classmethod
    def of(cls, pid: int) -> Self:
        """Look at a process."""
        process = psutil.Process(pid)
        with process.oneshot():
            resident_mb = round(process.memory_info().rss / 2**20, 1)
            return cls(resident_mb, process.num_fds(), process.num_threads())
