"""A few renderer threads behind a short, bounded waiting room.

Rendering takes a tenth of a second of one core: on the event loop it would stop everyone,
and without a bound a burst would keep every picture of it in memory.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from services.reports.errors import DeadlinePassedError, TooManyWaitingError

_Result = TypeVar("_Result")

_FIRST_GUESS_S = 0.1
_MEMORY = 0.8
"""How much of the usual render time stays when a new one is learnt."""


class Renderers:
    """Runs work in threads, first come first served, and drops callers who left."""

    def __init__(self, max_concurrent: int, max_waiting: int) -> None:
        """Start no thread yet.

        Args:
            max_concurrent: how much work runs at the same time.
            max_waiting: how many callers may wait for their turn.

        """
        self._threads = ThreadPoolExecutor(max_concurrent, thread_name_prefix="renderer")
        self._free = asyncio.Semaphore(max_concurrent)
        self._max_concurrent = max_concurrent
        self._max_waiting = max_waiting
        self._usual_s = _FIRST_GUESS_S
        self.waiting = 0

    async def run(self, work: Callable[[], _Result], within_s: float | None) -> _Result:
        """Run work in a thread when one is free.

        Args:
            work: what to run; it is not begun when the caller is cancelled while waiting.
            within_s: the seconds until the caller's deadline, None without one.

        Raises:
            TooManyWaitingError: the waiting room is full.
            DeadlinePassedError: no thread was free before the deadline.

        """
        await self._turn(within_s)
        future = self._threads.submit(self._timed, work)
        loop = asyncio.get_running_loop()
        # The place is given back when the thread is done, not when the caller leaves:
        # a thread cannot be stopped, and until it ends it holds its memory.
        future.add_done_callback(lambda _: self._give_back(loop))
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Wait for running work to end."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    async def _turn(self, within_s: float | None) -> None:
        if self._free.locked() and self.waiting >= self._max_waiting:
            turns = (self.waiting + 1) / self._max_concurrent
            raise TooManyWaitingError(retry_after_s=turns * self._usual_s)
        self.waiting += 1
        try:
            async with asyncio.timeout(within_s):
                await self._free.acquire()
        except TimeoutError as error:
            raise DeadlinePassedError from error
        finally:
            self.waiting -= 1

    def _timed(self, work: Callable[[], _Result]) -> _Result:
        began = time.perf_counter()
        try:
            return work()
        finally:
            taken = time.perf_counter() - began
            self._usual_s = _MEMORY * self._usual_s + (1 - _MEMORY) * taken

    def _give_back(self, loop: asyncio.AbstractEventLoop) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._free.release)
