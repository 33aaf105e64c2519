"""Who works on which cores: callers have one of their own, and take nothing from services.

What a caller spends on a request that is refused would else come off the goodput of the service
beside it, and the more of it the more is asked.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cores:
    """Cores of this process, shared out; where there is one only, both have it.

    Attributes:
        services: those of whoever is measured.
        callers: those of whoever asks.

    """

    services: frozenset[int]
    callers: frozenset[int]

    def serve(self) -> None:
        """Have this thread, and what it starts from now on, work where services do."""
        os.sched_setaffinity(0, self.services)

    def call(self) -> None:
        """Have this thread, and what it starts from now on, work where callers do."""
        os.sched_setaffinity(0, self.callers)


@contextmanager
def apart() -> Iterator[Cores]:
    """Share out the cores of this thread; when the block ends, it has all of them again."""
    all_of_them = os.sched_getaffinity(0)
    *others, last = sorted(all_of_them)
    try:
        yield Cores(services=frozenset(others or [last]), callers=frozenset([last]))
    finally:
        os.sched_setaffinity(0, all_of_them)
