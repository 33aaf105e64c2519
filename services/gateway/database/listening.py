"""Being told that organisations have new events, whichever process wrote them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from services import telemetry
from services.gateway.database.publication import CHANNEL

Heard = Callable[[str | None], None]
"""Is told which organisation has new events; None where that could be any of them."""

_LOOK_EVERY_S = 5.0
_ANSWER_S = 5.0
_BACK_OFF_S = (0.1, 0.5, 1, 2, 5)

_log = telemetry.logger(__name__)


@contextlib.asynccontextmanager
async def listening(engine: AsyncEngine, heard: Heard) -> AsyncIterator[None]:
    """Listen on a connection of its own, and on a new one when that is lost.

    Nobody depends on it alone: whoever listens is told to look after each new connection, and
    every few seconds, when the connection is also tried. A lost one may look well for hours.
    """
    async with _beside(_listen(engine, heard)):
        yield
    await engine.dispose()


@contextlib.asynccontextmanager
async def looking(heard: Heard, every_s: float) -> AsyncIterator[None]:
    """Have others look now and then, where nobody tells of what other processes write."""

    async def look() -> None:
        while True:
            await asyncio.sleep(every_s)
            heard(None)

    async with _beside(look()):
        yield


@contextlib.asynccontextmanager
async def _beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Do something for as long as something else takes."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _listen(engine: AsyncEngine, heard: Heard) -> None:
    failures = 0
    while True:
        try:
            async with engine.connect() as connection:
                raw: Any = (await connection.get_raw_connection()).driver_connection
                await raw.add_listener(CHANNEL, lambda *said: heard(said[-1]))
                failures = 0
                await _look(raw, heard)
        except Exception as error:  # noqa: BLE001 - whatever it was, listening goes on
            _log.warning("events are not heard of", error=type(error).__name__)
        await asyncio.sleep(_BACK_OFF_S[min(failures, len(_BACK_OFF_S) - 1)])
        failures += 1


async def _look(raw: Any, heard: Heard) -> None:
    """Have others look now and then, for as long as a connection holds."""
    lost = asyncio.Event()
    raw.add_termination_listener(lambda _: lost.set())
    while not lost.is_set():
        heard(None)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(lost.wait(), _LOOK_EVERY_S)
        if not lost.is_set():
            try:
                await raw.fetchval("SELECT 1", timeout=_ANSWER_S)
            except TimeoutError:
                # To end it in peace would take the server's word.
                raw.terminate()
                raise
