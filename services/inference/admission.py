"""How many pictures the service takes on: one more than it can hold is refused at once.

Every picture in work costs memory, whether it waits to be decoded, for a model or to be
drawn. So they are counted where they come in, before anything is done with them.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

_MEMORY = 0.1
"""Weight of the newest picture in the running mean of the time one takes."""

_LEAST_S = 0.05


class QueueFullError(Exception):
    """So many pictures are in work that another one is refused.

    Attributes:
        retry_after_s: seconds after which there should be room.

    """

    def __init__(self, retry_after_s: float) -> None:
        super().__init__("the service is busy: try again a little later")
        self.retry_after_s = retry_after_s


class Admission:
    """Counts the pictures in work."""

    def __init__(self, places: int) -> None:
        """Begin with nothing in work.

        Args:
            places: most pictures in work at the same time, running or waiting.

        """
        self._places = places
        self._in_work = 0
        self._stay_s = 0.0

    @property
    def in_work(self) -> int:
        """Pictures that are in work now."""
        return self._in_work

    @contextmanager
    def place(self) -> Iterator[None]:
        """Take a place for one picture.

        Raises:
            QueueFullError: all places are taken.

        """
        if self._in_work >= self._places:
            # By Little's law, what is in work leaves in about the time that a picture stays.
            raise QueueFullError(max(self._stay_s, _LEAST_S))
        self._in_work += 1
        began = time.monotonic()
        try:
            yield
        finally:
            self._in_work -= 1
            self._stay_s += _MEMORY * (time.monotonic() - began - self._stay_s)
