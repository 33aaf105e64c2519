"""Time in tests: some passes at once, and some is measured though others use the machine."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, tzinfo

import pytest

from services.gateway.records import base

HOUR = timedelta(hours=1)

_TRIES = 5


class _Ahead(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "_Ahead":
        return super().now(tz) + HOUR


def set_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have what gateways write down be an hour ahead, beside a database whose clock is right."""
    monkeypatch.setattr(base, "datetime", _Ahead)


def pass_time(seconds: float) -> None:
    """Have the running event loop's clock jump, so that whatever is due by then comes at once."""
    loop = asyncio.get_running_loop()
    earlier = loop.time
    loop.time = lambda: earlier() + seconds  # type: ignore[method-assign]


async def quickest(asked: Callable[[], Awaitable[object]], within_s: float) -> float:
    """The seconds that something took, or the least of some tries until it was quick enough.

    A machine that has much to do may hold one of them up, and not each.
    """
    took: list[float] = []
    while len(took) < _TRIES and not (took and took[-1] < within_s):
        began = time.monotonic()
        await asked()
        took.append(time.monotonic() - began)
    return min(took)
