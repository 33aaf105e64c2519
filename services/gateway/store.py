"""Pictures at rest: files named by the SHA-256 of their content, outside every web root.

Equal content is kept once. A file appears whole or not at all, is readable for its owner only,
and its name comes from its content alone, never from a caller.
"""

import asyncio
import contextlib
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path

from services.gateway.threads import Threads

_FILES_AT_ONCE = 8


def digest(content: bytes) -> str:
    """Return the name under which content is kept."""
    return hashlib.sha256(content).hexdigest()


class Store:
    """A folder of files named by their content, two levels deep."""

    def __init__(self, root: Path) -> None:
        """Build over a folder, which is made when the first file is kept."""
        self._root = root
        self._threads = Threads(_FILES_AT_ONCE)
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}

    async def put(self, files: Mapping[str, bytes]) -> None:
        """Keep files under their digests; those that are there already stay as they are."""
        await self._threads.run(self._write_all, files)

    async def get(self, name: str) -> bytes:
        """Return the content of a file.

        Raises:
            FileNotFoundError: there is none of this name.

        """
        return await self._threads.run(self._path(name).read_bytes)

    async def remove(self, names: Iterable[str]) -> None:
        """Remove files; missing ones are no error."""
        await self._threads.run(self._unlink_all, list(names))

    @contextlib.asynccontextmanager
    async def holding(self, names: Iterable[str]) -> AsyncIterator[None]:
        """Keep others from adding or removing these files meanwhile.

        Whoever writes a record of a file holds it from before the file is kept until the
        record is; whoever removes one holds it while looking for other records of it. So no
        record is ever left without its file.
        """
        async with contextlib.AsyncExitStack() as stack:
            # Always in the same order, so that two never wait for each other.
            for name in sorted(set(names)):
                await stack.enter_async_context(self._held(name))
            yield

    @contextlib.asynccontextmanager
    async def _held(self, name: str) -> AsyncIterator[None]:
        lock, users = self._locks.get(name, (asyncio.Lock(), 0))
        self._locks[name] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            lock, users = self._locks.pop(name)
            if users > 1:
                self._locks[name] = (lock, users - 1)

    def _path(self, name: str) -> Path:
        return self._root / name[:2] / name[2:4] / name

    def _write_all(self, files: Mapping[str, bytes]) -> None:
        for name, content in files.items():
            path = self._path(name)
            if not path.exists():
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                _write(path, content)

    def _unlink_all(self, names: list[str]) -> None:
        for name in names:
            self._path(name).unlink(missing_ok=True)


def _write(path: Path, content: bytes) -> None:
    # mkstemp makes files that only their owner reads.
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".part-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make the new name survive a power failure; the file's own fsync does not."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
