"""What the gateway asks of a place for pictures; a folder and an S3 bucket give it."""

from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from services.gateway.store.stage import Stage

SETTLED_AFTER_S = 3600.0
"""Nobody takes longer from publishing an object to recording it."""


class Store(Protocol):
    """Objects of organisations, by name.

    What cannot be done raises ``StoreUnavailableError``, and for want of room
    ``InsufficientStorageError``. What is asked for, kept or removed is done or refused within a
    bounded time. What was refused as too slow may be done yet: then an object is there that no
    record has, or is not there that none has. Only in a folder that several hosts share may a
    removal come so late that another one has kept the object anew, and its record lacks it.
    """

    is_near: bool
    """Whether it takes little to look at all names."""

    def stage(self, organisation_id: str) -> AbstractAsyncContextManager[Stage]:
        """Open a stage for some objects; those that are never published vanish with it."""
        ...

    async def get(self, organisation_id: str, name: str) -> bytes:
        """Return the content of an object.

        Raises:
            FileNotFoundError: the organisation has none of this name.
            DamagedPictureError: its content is not what its name says.

        """
        ...

    async def remove(self, organisation_id: str, names: Iterable[str]) -> None:
        """Remove objects; missing ones are no error."""
        ...

    def settled(self) -> AsyncIterator[tuple[str, list[str]]]:
        """Yield names of what was published more than an hour ago, by organisation, in parts."""
        ...

    async def sweep(self) -> None:
        """Remove what processes left unfinished when they were killed."""
        ...

    async def trouble(self) -> str | None:
        """Say what is wrong with the place, None if nothing is."""
        ...
