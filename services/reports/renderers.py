"""A few renderer threads behind a bounded waiting room, which long reports cannot fill.

Rendering takes a tenth of a second of one core: on the event loop it would stop everyone,
and without a bound a burst would keep every picture of it in memory.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from services.reports.errors import DeadlinePassedError, TooManyWaitingError, TooMuchHeldError
from services.reports.held import Held
from services.reports.turns import Turns

_Result = TypeVar("_Result")

_FIRST_GUESS_S, _FIRST_GUESS_OF_LONG_S = 0.1, 2.0
_MEMORY = 0.8
"""How much of the usual render time stays when a new one is learnt."""


class Renderers:
    """Runs work in threads, in the order of ``Turns``, and drops callers who left."""

    def __init__(self, max_concurrent: int, max_waiting: int, max_held_bytes: int) -> None:
        """Start no thread yet.

        Args:
            max_concurrent: how much work runs at the same time.
            max_waiting: how many callers may wait for their turn, half of them with long work.
            max_held_bytes: of messages that wait or are in work; see ``Held``.

        """
        self._threads = ThreadPoolExecutor(max_concurrent, thread_name_prefix="renderer")
        self._turns = Turns(max_concurrent)
        self._held = Held(max_held_bytes)
        self._max_concurrent = max_concurrent
        self._max_waiting = max_waiting
        self._usual_s = {False: _FIRST_GUESS_S, True: _FIRST_GUESS_OF_LONG_S}

    @property
    def waiting(self) -> int:
        """How many callers wait for their turn."""
        return self._turns.waiting(is_long=False) + self._turns.waiting(is_long=True)

    @property
    def held_bytes(self) -> int:
        """Of the messages that wait or are in work."""
        return self._held.bytes

    async def run(
        self,
        work: Callable[[], _Result],
        within_s: float | None,
        *,
        size: int = 0,
        is_long: bool = False,
    ) -> _Result:
        """Run work in a thread when one is free.

        Args:
            work: what to run; it is not begun when the caller is cancelled while waiting.
            within_s: the seconds until the caller's deadline, None without one.
            size: of the message that it holds, in bytes.
            is_long: whether it takes as long as much other work; one such runs at a time.

        Raises:
            TooManyWaitingError: the waiting room is full.
            TooMuchHeldError: there is no memory for the message beside the others.
            DeadlinePassedError: no thread was free before the deadline.

        """
        if within_s is not None and within_s <= 0:
            raise DeadlinePassedError
        self._refuse_if_full(size, is_long=is_long)
        self._held.take(size, is_long=is_long)
        try:
            await self._turn(within_s, is_long=is_long)
        except BaseException:
            self._held.give_back(size, is_long=is_long)
            raise
        future = self._threads.submit(self._timed, work, is_long=is_long)
        loop = asyncio.get_running_loop()
        # The place is given back when the thread is done, not when the caller leaves: a thread
        # ends only where its work looks whether it is wanted, and until then it holds its memory.
        give_back = partial(self._give_back, size, is_long=is_long)
        future.add_done_callback(lambda _: _soon(loop, give_back))
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Wait for running work to end."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _refuse_if_full(self, size: int, *, is_long: bool) -> None:
        waiting = self._turns.waiting(is_long=is_long)
        turns = (waiting + 1) / (1 if is_long else self._max_concurrent)
        soon_s = turns * self._usual_s[is_long]
        if not self._held.has_room(size, is_long=is_long):
            raise TooMuchHeldError(retry_after_s=soon_s)
        if self._turns.has_room(is_long=is_long):
            return
        if self.waiting >= self._max_waiting or (is_long and 2 * waiting >= self._max_waiting):
            raise TooManyWaitingError(retry_after_s=soon_s)

    async def _turn(self, within_s: float | None, *, is_long: bool) -> None:
        try:
            async with asyncio.timeout(within_s):
                await self._turns.take(is_long=is_long)
        except TimeoutError as error:
            raise DeadlinePassedError from error

    def _timed(self, work: Callable[[], _Result], *, is_long: bool) -> _Result:
        began = time.perf_counter()
        done = work()
        # What was given up on its way says nothing of how long it would have taken.
        taken = time.perf_counter() - began
        self._usual_s[is_long] = _MEMORY * self._usual_s[is_long] + (1 - _MEMORY) * taken
        return done

    def _give_back(self, size: int, *, is_long: bool) -> None:
        self._held.give_back(size, is_long=is_long)
        self._turns.give_back(is_long=is_long)


def _soon(loop: asyncio.AbstractEventLoop, work: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(work)
