"""How long an answer may take to be taken: whoever reads nothing is not waited for."""

import asyncio
from collections.abc import Awaitable

BYTES_PER_S = 16 * 1024
"""What a client has to take over time: a line of 1 Mbit/s that seven share at once."""


class Patience:
    """What is left of the time that a client has; what it takes gives it time again."""

    def __init__(self, seconds: float) -> None:
        """Begin with as many seconds as there ever are."""
        self._most = self._left = seconds

    async def wait(self, sending: Awaitable[None], size: int) -> None:
        """Wait until so many bytes are sent.

        Raises:
            TimeoutError: the client did not take those before them in time.

        """
        clock = asyncio.get_running_loop().time
        began = clock()
        async with asyncio.timeout(self._left):
            await sending
        waited = clock() - began
        self._left = min(self._most, self._left - waited + size / BYTES_PER_S)
