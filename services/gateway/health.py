"""Whether the gateway can do its work now: its database and the services behind it."""

import asyncio

from grpc import aio
from sqlalchemy import text

from services.gateway import clients
from services.gateway.database import Database

_TIMEOUT_S = 1.0

NEEDED = frozenset({"database", "inference"})
"""Without these nothing can be analyzed. Without reports all else still works."""


class Health:
    """Asks everything that the gateway depends on."""

    def __init__(self, database: Database, channels: dict[str, aio.Channel]) -> None:
        """Build over what is asked.

        Args:
            database: has the records.
            channels: to the services, by name.

        """
        self._database = database
        self._channels = channels

    async def check(self) -> dict[str, str]:
        """Return ``"ok"``, or what is wrong, for each thing by name."""
        names = ["database", *self._channels]
        troubles = await asyncio.gather(
            self._database_trouble(),
            *(clients.trouble(channel, _TIMEOUT_S) for channel in self._channels.values()),
        )
        return {name: trouble or "ok" for name, trouble in zip(names, troubles, strict=True)}

    async def _database_trouble(self) -> str | None:
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                await self._database.read(lambda session: session.execute(text("SELECT 1")))
        except Exception:  # noqa: BLE001 - whatever it is, the answer is no
            return "unavailable"
        return None
