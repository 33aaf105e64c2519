"""How much time is left: set once at the door, it only shrinks on the way in."""

import time
from typing import Self

from services.gateway import errors


class Deadline:
    """A moment after which nobody waits for the answer any more."""

    def __init__(self, moment: float) -> None:
        """Build from a moment of the monotonic clock."""
        self._moment = moment

    @classmethod
    def after(cls, seconds: float) -> Self:
        """Return the deadline that is so many seconds from now."""
        return cls(time.monotonic() + seconds)

    def remaining_s(self) -> float:
        """Return the seconds left.

        Raises:
            DeadlinePassedError: there are none.

        """
        left = self._moment - time.monotonic()
        if left <= 0:
            raise errors.DeadlinePassedError("This took too long. Try again, or try later.")
        return left
