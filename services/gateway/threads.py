"""Work that would block the event loop is done here: in threads, a bounded number at a time."""

import asyncio
import contextvars
import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")

# A limit on the CPU time of a container does not hide the machine's cores.
_MOST = 4
_NO_TURN = "others took all of the time"
_HANGS = "it has not ended in time"
_ALL_HANG = "nothing that was begun ends"


class Threads:
    """Runs functions in threads; further ones wait their turn."""

    def __init__(self, at_once: int | None = None, within_s: float | None = None) -> None:
        """Build with bounds.

        Args:
            at_once: how many functions run at the same time; by default as many as this
                process may use cores, and at most four.
            within_s: seconds that a function is waited for, its turn included; None for as long
                as it takes.

        """
        self._at_once = at_once or min(len(os.sched_getaffinity(0)), _MOST)
        self._within_s = within_s
        self._since: dict[object, float] = {}
        self._pool = ThreadPoolExecutor(self._at_once)

    @property
    def all_hang(self) -> bool:
        """Whether each thread has a function that goes on for longer than it is waited for."""
        if self._within_s is None or len(self._since) < self._at_once:
            return False
        latest = time.monotonic() - self._within_s
        return all(since < latest for since in list(self._since.values()))

    async def run(
        self,
        function: Callable[_Arguments, _Result],
        *args: _Arguments.args,
        **kwargs: _Arguments.kwargs,
    ) -> _Result:
        """Call a function in a thread and return what it returns.

        Who is cancelled while waiting for a thread gets none. A function that runs cannot be
        stopped: it is waited for, so that nobody goes on beside work that is half done.

        Raises:
            TimeoutError: it has not ended in time, and goes on if it has begun; or all threads
                have functions that go on so, and it was not begun.

        """
        running = self._begun(partial(function, *args, **kwargs))
        done = asyncio.wrap_future(running)
        # Who is not there any more does not ask what became of it.
        done.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        try:
            await asyncio.wait([done], timeout=self._within_s)
        except asyncio.CancelledError:
            if not running.cancel():
                await asyncio.wait([done], timeout=self._within_s)
            raise
        if running.cancel():
            raise TimeoutError(_NO_TURN)
        if not running.done():
            raise TimeoutError(_HANGS)
        return await done

    async def look(
        self,
        function: Callable[_Arguments, _Result],
        *args: _Arguments.args,
        **kwargs: _Arguments.kwargs,
    ) -> _Result:
        """Call a function that changes nothing in a thread and return what it returns.

        Who is cancelled goes at once: nobody minds such a function, which keeps its thread until it
        is done. Raises as ``run`` does.
        """
        async with asyncio.timeout(self._within_s):
            return await asyncio.wrap_future(self._begun(partial(function, *args, **kwargs)))

    def _begun(self, call: Callable[[], _Result]) -> Future[_Result]:
        if self.all_hang:
            raise TimeoutError(_ALL_HANG)
        return self._pool.submit(contextvars.copy_context().run, self._called, call)

    def _called(self, call: Callable[[], _Result]) -> _Result:
        token = object()
        self._since[token] = time.monotonic()
        try:
            return call()
        finally:
            del self._since[token]
