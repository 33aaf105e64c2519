"""An event loop whose clock jumps to the next thing that is due.

Hours pass in no time, and always in the same way. Where nothing is due and somebody still
waits, the test fails at once instead of hanging.
"""

import asyncio
import math
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

_Result = TypeVar("_Result")


def play(scene: Coroutine[Any, Any, _Result]) -> _Result:
    """Run a coroutine to its end in virtual time, which begins at 0 seconds."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(scene)


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop that never sleeps."""

    def __init__(self) -> None:
        self._now = 0.0
        super().__init__(_Jumping(self))

    def time(self) -> float:
        """Return the virtual seconds since the beginning."""
        return self._now

    def jump(self, seconds: float) -> None:
        """Let time pass, at least by the least step that the clock can make."""
        self._now = max(self._now + seconds, math.nextafter(self._now, math.inf))


class _Jumping(selectors.SelectSelector):
    """Sees no sockets, only time."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise AssertionError("nothing is due any more, and somebody still waits")
        if timeout > 0:
            self._loop.jump(timeout)
        return []
