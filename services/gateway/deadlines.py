"""How much time is left: set once at the door, it only shrinks on the way in."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Self

from services.gateway import errors

_SENTENCE = "This took too long. Try again, or try later."


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
            raise errors.DeadlinePassedError(_SENTENCE)
        return left

    @contextlib.asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Do what follows until the moment, and no longer.

        Raises:
            DeadlinePassedError: it was not done in time.

        """
        try:
            async with asyncio.timeout(self.remaining_s()):
                yield
        except TimeoutError as error:
            raise errors.DeadlinePassedError(_SENTENCE) from error
