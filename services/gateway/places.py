"""Room in memory for pictures, which are large: so many places, and no more."""

import contextlib
from collections.abc import Iterator

from services.gateway import errors


class Places:
    """Places for requests that hold pictures in memory, whichever way these go."""

    def __init__(self, count: int) -> None:
        """Build with a number of places."""
        self._free = count

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """Take a place, or be refused at once.

        Raises:
            UnavailableError: all places are taken.

        """
        if self._free <= 0:
            raise errors.UnavailableError("Too many pictures are in work. Try again shortly.")
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1
