"""Whether anybody still waits for an answer."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request

_Result = TypeVar("_Result")


async def while_there(request: Request, work: Coroutine[Any, Any, _Result]) -> _Result:
    """Do work for a caller, and give it up when they leave.

    Somebody who left did so before they had an answer, and may ask again: going on would do
    the same work twice, and record it twice.

    Args:
        request: of the caller; its body has been read.
        work: what to do.

    Raises:
        ClientDisconnect: they left.

    """
    working = asyncio.create_task(work)
    leaving = asyncio.create_task(_left(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.wait({working, leaving})


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
