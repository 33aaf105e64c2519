"""Pictures are judged side by side, or one alone."""

import asyncio
import contextlib
from collections.abc import AsyncIterator


class Solitude:
    """Who wants to be alone waits for others to leave; who comes meanwhile waits at the door."""

    def __init__(self) -> None:
        self._door = asyncio.Lock()
        self._inside = 0
        self._left = asyncio.Event()

    @property
    def is_kept(self) -> bool:
        """Whether somebody is alone, or waits to be."""
        return self._door.locked()

    @contextlib.asynccontextmanager
    async def together(self) -> AsyncIterator[None]:
        """Be in beside others."""
        async with self._door:
            self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1
            self._left.set()

    @contextlib.asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Be in while nobody else is."""
        async with self._door:
            while self._inside:
                self._left.clear()
                await self._left.wait()
            yield
