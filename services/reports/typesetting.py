"""Who may use the PDF library: one document at a time, which others may interrupt.

Setting is pure Python, which threads do not speed up, and the library's fonts keep a reading
position that all documents share while a file is written. Between two stretches of a document
nothing is shared: what a font has given to a document is kept for each of them.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class Typesetting:
    """A lock that goes to whoever has waited longest, so that giving way to others is one call.

    The standard library's goes back to the thread that has just released it.
    """

    def __init__(self) -> None:
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
        """Let those who wait go first; for whoever has the turn, between two stretches of work."""
        if self._line:
            self._pass_on()
            self._take()

    def _take(self) -> None:
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
