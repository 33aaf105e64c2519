"""Room for work that needs much memory: so many places, and no more."""

import contextlib
from collections.abc import Iterator

from services.gateway import errors


class Places:
    """Places for requests that hold much memory, or wait for their turn to do so."""

    def __init__(self, count: int, refusal: str) -> None:
        """Build with a number of places.

        Args:
            count: how many there are.
            refusal: the sentence for whoever finds all of them taken.

        """
        self._free = count
        self._refusal = refusal

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """Take a place, or be refused at once.

        Raises:
            UnavailableError: all places are taken.

        """
        if self._free <= 0:
            raise errors.UnavailableError(self._refusal)
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1
