"""Work that would block the event loop is done here: in threads, a bounded number at a time."""

import os
from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar

from anyio import CapacityLimiter, to_thread

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


class Threads:
    """Runs functions in threads; further ones wait their turn."""

    def __init__(self, at_once: int | None = None) -> None:
        """Build with a bound.

        Args:
            at_once: how many functions run at the same time; by default as many as this
                process may use cores, which suits work that computes.

        """
        self._limiter = CapacityLimiter(at_once or len(os.sched_getaffinity(0)))

    async def run(
        self,
        function: Callable[_Arguments, _Result],
        *args: _Arguments.args,
        **kwargs: _Arguments.kwargs,
    ) -> _Result:
        """Call a function in a thread and return what it returns."""
        return await to_thread.run_sync(partial(function, *args, **kwargs), limiter=self._limiter)
