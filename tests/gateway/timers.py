"""Timeouts that end when a test says so: none ends sooner because a machine is slow."""

import asyncio
import contextlib
from types import ModuleType
from typing import Any

import pytest


class Timers:
    """Those that a module sets.

    Attributes:
        asked: after how many seconds each would have ended.

    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, module: ModuleType) -> None:
        """Take the place of ``asyncio`` in a module."""
        self.asked: list[float | None] = []
        self._set: list[asyncio.Timeout] = []
        monkeypatch.setattr(module, "asyncio", self)

    def timeout(self, seconds: float | None) -> asyncio.Timeout:
        """Set one."""
        self.asked.append(seconds)
        self._set.append(asyncio.timeout(None))
        return self._set[-1]

    async def were_asked(self, count: int) -> None:
        """Return when so many have been set."""
        async with asyncio.timeout(60):
            while len(self.asked) < count:  # noqa: ASYNC110 - a module sets no event
                await asyncio.sleep(0.01)

    def end(self) -> None:
        """Have the time be over for all who wait now."""
        for timer in self._set:
            # Some have what they waited for.
            with contextlib.suppress(RuntimeError):
                timer.reschedule(asyncio.get_running_loop().time())

    def __getattr__(self, name: str) -> Any:
        """All else is as it is."""
        return getattr(asyncio, name)
