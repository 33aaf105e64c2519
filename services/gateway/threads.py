"""Work that would block the event loop is done here: in threads, a bounded number at a time."""

import asyncio
import contextvars
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")

# A limit on the CPU time of a container does not hide the machine's cores.
_MOST = 4


class Threads:
    """Runs functions in threads; further ones wait their turn."""

    def __init__(self, at_once: int | None = None) -> None:
        """Build with a bound.

        Args:
            at_once: how many functions run at the same time; by default as many as this
                process may use cores, and at most four.

        """
        cores = len(os.sched_getaffinity(0))
        self._pool = ThreadPoolExecutor(at_once or min(cores, _MOST))

    async def run(
        self,
        function: Callable[_Arguments, _Result],
        *args: _Arguments.args,
        **kwargs: _Arguments.kwargs,
    ) -> _Result:
        """Call a function in a thread and return what it returns.

        Who is cancelled while waiting for a thread gets none. A function that runs cannot be
        stopped: it is waited for, so that nobody goes on beside work that is half done.
        """
        running = self._begun(partial(function, *args, **kwargs))
        done = asyncio.wrap_future(running)
        try:
            return await asyncio.shield(done)
        except asyncio.CancelledError:
            if not running.cancel():
                await asyncio.wait([done])
            raise

    async def look(
        self,
        function: Callable[_Arguments, _Result],
        *args: _Arguments.args,
        **kwargs: _Arguments.kwargs,
    ) -> _Result:
        """Call a function that changes nothing in a thread and return what it returns.

        Who is cancelled goes at once: nobody minds such a function, which keeps its thread until it
        is done.
        """
        return await asyncio.wrap_future(self._begun(partial(function, *args, **kwargs)))

    def _begun(self, call: Callable[[], _Result]) -> Future[_Result]:
        return self._pool.submit(contextvars.copy_context().run, call)
