"""Notices work in threads that does not end.

A call into a runtime or a decoder cannot be taken back: whoever hangs in one keeps its thread.
All that can be done is to notice it and to have the process replaced.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")

_LOOKS = 20


@dataclass(slots=True, eq=False)
class _Run:
    looks: int = 0


class HungError(Exception):
    """Some work in a thread does not end."""

    def __init__(self, limit_s: float) -> None:
        super().__init__(f"a run did not end within {limit_s:g} seconds: this process is replaced")


class Watch:
    """Looks at the work that runs in threads, now and then."""

    def __init__(self, limit_s: float) -> None:
        """Begin with nothing to watch.

        Args:
            limit_s: seconds after which work that has not ended is taken to hang.

        """
        self.limit_s = limit_s
        self._running: set[_Run] = set()

    @property
    def running(self) -> int:
        """Runs that have not ended."""
        return len(self._running)

    @property
    def hung(self) -> int:
        """Runs that have not ended within the limit."""
        return sum(run.looks >= _LOOKS for run in self._running.copy())

    def over(self, threads: Executor) -> Executor:
        """Return an executor whose work is done in ``threads`` and watched."""
        return _Watched(threads, self)

    async def until_hung(self) -> None:
        """Return once some work hangs.

        Looks are counted and not the clock: a process that was stopped for a while, with its
        machine or by a debugger, has not hung.
        """
        while not self.hung:
            await asyncio.sleep(self.limit_s / _LOOKS)
            for run in self._running.copy():
                run.looks += 1

    def seen(self, work: Callable[[], _Result]) -> _Result:
        """Do some work, in this thread, under the watch."""
        run = _Run()
        self._running.add(run)
        try:
            return work()
        finally:
            self._running.discard(run)


class _Watched(Executor):
    def __init__(self, threads: Executor, watch: Watch) -> None:
        self._threads = threads
        self._watch = watch

    def submit(
        self,
        fn: Callable[_Parameters, _Result],
        /,
        *args: _Parameters.args,
        **kwargs: _Parameters.kwargs,
    ) -> Future[_Result]:
        return self._threads.submit(self._watch.seen, lambda: fn(*args, **kwargs))
