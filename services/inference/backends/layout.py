"""How the cores are shared out: runs side by side, threads a run."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Layout:
    """A way to use the cores.

    Attributes:
        runs: that go side by side.
        threads: that share the work of one run.

    """

    runs: int = 1
    threads: int = 1

    def __str__(self) -> str:
        threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        return f"{self.runs} side by side, {threads} each"


def shared_out(cores: int, runs: int) -> Layout:
    """Return the layout for a number of runs that somebody has decided."""
    return Layout(runs, max(1, cores // runs))


def sensible(cores: int, models: int) -> Iterator[Layout]:
    """Return the layouts worth measuring; the first needs no measurement to be good.

    Args:
        cores: that may be used.
        models: that a picture goes through, side by side: even alone it keeps so many cores busy,
            and where there are no more, threads that share a run have nothing to win.

    """
    yield Layout(cores, 1)
    if cores > models:
        for threads in sorted({2, cores}):
            yield Layout(cores // threads, threads)
