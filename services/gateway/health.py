"""Whether the gateway can do its work now: its database, its pictures, the services behind it."""

import asyncio

from grpc import aio
from sqlalchemy import text

from services.gateway import clients
from services.gateway.database import Database
from services.gateway.space import Space
from services.gateway.store import Store

_TIMEOUT_S = 1.0

NEEDED = frozenset({"database", "inference", "pictures"})
"""Without these nothing can be analyzed. Without reports all else still works, and without space
everything that needs none."""


class Health:
    """Asks everything that the gateway depends on."""

    def __init__(
        self, database: Database, channels: dict[str, aio.Channel], store: Store, space: Space
    ) -> None:
        """Build over what is asked.

        Args:
            database: has the records.
            channels: to the services, by name.
            store: has the pictures.
            space: knows the room on the disks.

        """
        self._store = store
        self._space = space
        self._database = database
        self._channels = channels

    async def check(self) -> dict[str, str]:
        """Return ``"ok"``, or what is wrong, for each thing by name."""
        names = ["database", "pictures", "space", *self._channels]
        troubles = await asyncio.gather(
            self._database_trouble(),
            self._pictures_trouble(),
            self._space_trouble(),
            *(clients.trouble(channel, _TIMEOUT_S) for channel in self._channels.values()),
        )
        return {name: trouble or "ok" for name, trouble in zip(names, troubles, strict=True)}

    async def _pictures_trouble(self) -> str | None:
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                return await self._store.trouble()
        except TimeoutError:
            return "unavailable"

    async def _space_trouble(self) -> str | None:
        try:
            full = await self._space.full()
        except OSError:
            return "unknown"
        return "nearly full" if full else None

    async def _database_trouble(self) -> str | None:
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                await self._database.read(lambda session: session.execute(text("SELECT 1")))
        except Exception:  # noqa: BLE001 - whatever it is, the answer is no
            return "unavailable"
        return self._database.trouble()
