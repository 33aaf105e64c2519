"""Whether the disks have room for anything new."""

import asyncio
import contextlib
import errno
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from services import telemetry
from services.gateway import errors
from services.gateway.metrics import Metrics
from services.gateway.threads import Threads

_LOOK_EVERY_S = 1.0
_LOOK_WITHIN_S = 5.0

ENOUGH_AGAIN = 1.1
"""Work is taken again when there is a tenth more room than what it was refused below: so it is
not let in and refused in turns."""

_FULL = {errno.ENOSPC, errno.EDQUOT}

_log = telemetry.logger(__name__)


@contextlib.contextmanager
def filling() -> Iterator[None]:
    """Say of what is written meanwhile that there is no room for it, where that is so.

    Raises:
        InsufficientStorageError: the disk is full.

    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise errors.InsufficientStorageError(errors.NO_ROOM) from error
        raise


@dataclass(frozen=True, slots=True)
class Watermark:
    """The least room of a disk: so many bytes and this share of it, whichever is more.

    Attributes:
        bytes: free for us.
        percent: of the whole disk, 0 to 100.

    """

    bytes: int
    percent: float

    def of(self, total: int) -> float:
        """Return the bytes that must be free on a disk of a size."""
        return max(self.bytes, total * self.percent / 100)


class Space:
    """Looks at the disks, at most once a second, and refuses new work while one is nearly full."""

    def __init__(self, folders: Mapping[str, Path], watermark: Watermark, metrics: Metrics) -> None:
        """Build over folders.

        Args:
            folders: what is written to, by the name that metrics have for it.
            watermark: the least room that each must have.
            metrics: show how much room there is.

        """
        self._folders = folders
        self._watermark = watermark
        self._metrics = metrics
        self._threads = Threads(1)
        self._looked_at = float("-inf")
        self._full: frozenset[str] = frozenset()
        self._trouble: OSError | None = None

    async def require(self) -> None:
        """See that there is room for something new.

        Raises:
            InsufficientStorageError: a disk is nearly full.
            StoreUnavailableError: a disk, or the server that has it, does not say.

        """
        try:
            full = await self.full()
        except OSError as error:
            cause = str(error) or "too slow"
            _log.warning("the room on the disks could not be looked at", cause=cause)
            raise errors.StoreUnavailableError from error
        if full:
            raise errors.InsufficientStorageError(errors.NO_ROOM)

    async def full(self) -> frozenset[str]:
        """Return the names of what is nearly full.

        Raises:
            OSError: a disk, or the server that has it, is in trouble, or does not say in time.

        """
        if time.monotonic() - self._looked_at >= _LOOK_EVERY_S:
            # Others go by the last look meanwhile.
            self._looked_at = time.monotonic()
            try:
                async with asyncio.timeout(_LOOK_WITHIN_S):
                    free = await self._threads.look(self._look)
            except OSError as error:
                self._trouble = error
                raise
            self._trouble = None
            self._judge(free)
        if self._trouble:
            raise self._trouble.with_traceback(None)
        return self._full

    def _look(self) -> dict[str, tuple[int, int]]:
        """Return the whole size and the free bytes of each disk."""
        found = {}
        for name, folder in self._folders.items():
            disk = shutil.disk_usage(folder)
            found[name] = disk.total, disk.free
        return found

    def _judge(self, disks: Mapping[str, tuple[int, int]]) -> None:
        full = set()
        for name, (total, free) in disks.items():
            least = self._watermark.of(total)
            if free < least * (ENOUGH_AGAIN if name in self._full else 1):
                full.add(name)
            self._metrics.free_bytes(name).set(free)
            self._metrics.least_free_bytes(name).set(least)
        if full != self._full:
            _log.warning("room on the disks changed", nearly_full=sorted(full))
        self._full = frozenset(full)
        self._metrics.refuses_for_space.set(bool(full))
