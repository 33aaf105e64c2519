"""The clock of the event loop, which a test may set."""

import asyncio

import pytest


def move_on(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let so much time have passed for the loop that runs; what is due then comes next."""
    loop = asyncio.get_running_loop()
    told = loop.time
    monkeypatch.setattr(loop, "time", lambda: told() + seconds)
