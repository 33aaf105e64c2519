"""Who may use the PDF library: one document at a time, which others may interrupt.

Setting is pure Python, which threads do not speed up, and the library's fonts keep a reading
position that all documents share while a file is written. Between two stretches of a document
nothing is shared: what a font has given to a document is kept for each of them.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SLICE_S = 0.1
"""What a document that gives way has had of the library, at least: about as much as a report of one
page takes. With less between any two of those, a long report would not get on beside many."""


class Typesetting:
    """A lock that goes to whoever has waited longest, so that giving way to others is one call.

    The standard library's goes back to the thread that has just released it.
    """

    def __init__(
        self, slice_s: float = SLICE_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Build it free.

        Args:
            slice_s: seconds that a turn lasts before it is handed over in the midst of a document.
            clock: tells them.

        """
        self._slice_s = slice_s
        self._clock = clock
        self._since = clock()
        self._guard = threading.Lock()
        self._taken = False
        self._line: deque[threading.Lock] = deque()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Set a document, alone until the end of the block but for ``give_way``."""
        self._take()
        try:
            yield
        finally:
            self._pass_on()

    def give_way(self) -> None:
        """Let those who wait go first, unless the turn has only begun.

        For whoever has the turn, between two stretches of work.
        """
        if self._line and self._clock() - self._since >= self._slice_s:
            self._pass_on()
            self._take()

    def _take(self) -> None:
        self._wait()
        self._since = self._clock()

    def _wait(self) -> None:
        with self._guard:
            if not self._taken:
                self._taken = True
                return
            called = threading.Lock()
            called.acquire()
            self._line.append(called)
        called.acquire()

    def _pass_on(self) -> None:
        with self._guard:
            if self._line:
                self._line.popleft().release()
            else:
                self._taken = False
