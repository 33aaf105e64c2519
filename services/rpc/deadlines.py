"""Until when a caller waits."""

from __future__ import annotations  # gRPC's classes are generic for type checkers only

import asyncio
import math
from typing import Any

from grpc import aio


def deadline_of(context: aio.ServicerContext[Any, Any]) -> float:
    """Return when a caller stops waiting, on the event loop's clock; infinity for never."""
    remaining_s = context.time_remaining()
    now = asyncio.get_running_loop().time()
    return math.inf if remaining_s is None else now + remaining_s
