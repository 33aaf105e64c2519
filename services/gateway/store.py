"""Pictures at rest: files named by the SHA-256 of their content, outside every web root.

Equal content is kept once. A file appears whole or not at all, is readable for its owner only,
and its name comes from its content alone, never from a caller.

Making a file survive a power failure takes a disk milliseconds. So what is known early is staged
early, written and durable but without its name, while other work goes on; the rest is written
and all of it named in one go, in one thread.

A folder belongs to one process: who holds a file is known to that process alone.
"""

import asyncio
import contextlib
import hashlib
import os
import secrets
import time
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from services.gateway.threads import Threads

_FILES_AT_ONCE = 16
_ABANDONED_AFTER_S = 3600


def digest(content: bytes) -> str:
    """Return the name under which content is kept."""
    return hashlib.sha256(content).hexdigest()


class Stage:
    """Files on their way into a store; those that are never published vanish with it.

    Attributes:
        contents: of the files that are still to be written, by name.

    """

    def __init__(self, folder: Path, threads: Threads) -> None:
        self.contents: dict[str, bytes] = {}
        self._folder = folder
        self._threads = threads
        self._writing: dict[str, asyncio.Task[None]] = {}
        self._written: dict[str, Path] = {}

    @property
    def names(self) -> list[str]:
        """The names of the files added so far."""
        return [*self._writing, *self.contents]

    def begin(self, name: str, content: bytes) -> None:
        """Begin to write a file, and return at once."""
        writing = self._threads.run(self._write, name, content)
        self._writing[name] = asyncio.create_task(writing)

    def add(self, content: bytes) -> str | None:
        """Take a file that is written when it is published; return its name, None for nothing."""
        if not content:
            return None
        name = digest(content)
        if name not in self._writing:
            self.contents[name] = content
        return name

    async def begun(self) -> None:
        """Wait until all that was begun is durable."""
        for writing in self._writing.values():
            await writing

    def finish(self) -> dict[str, Path]:
        """Write, in the caller's thread, what is left; return where each file is for now."""
        for name, content in self.contents.items():
            self._write(name, content)
        return self._written

    async def clear(self) -> None:
        """Remove what was not published."""
        await asyncio.gather(*self._writing.values(), return_exceptions=True)
        if self._written:
            await self._threads.run(_unlink_all, list(self._written.values()))

    def _write(self, name: str, content: bytes) -> None:
        self._written[name] = _write(self._folder, content)


class Store:
    """A folder of files named by their content, dealt into 256 folders by its first byte.

    Few enough that they soon exist: making a folder durable costs as much as a file.
    """

    def __init__(self, root: Path) -> None:
        """Build over a folder.

        Args:
            root: made when the first file is kept.

        """
        self._root = root
        self._staged = root / "staged"
        self._threads = Threads(_FILES_AT_ONCE)
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}

    @contextlib.asynccontextmanager
    async def stage(self) -> AsyncIterator[Stage]:
        """Open a stage for some files."""
        stage = Stage(self._staged, self._threads)
        try:
            yield stage
        finally:
            await stage.clear()

    async def publish(self, stage: Stage) -> None:
        """Give staged files their names; those that are there already stay as they are."""
        await stage.begun()
        await self._threads.run(self._publish, stage)

    def _publish(self, stage: Stage) -> None:
        staged = stage.finish()
        _move({path: self._path(name) for name, path in staged.items()})
        staged.clear()

    async def get(self, name: str) -> bytes:
        """Return the content of a file.

        Raises:
            FileNotFoundError: there is none of this name.

        """
        return await self._threads.run(self._path(name).read_bytes)

    async def remove(self, names: Iterable[str]) -> None:
        """Remove files; missing ones are no error."""
        await self._threads.run(_unlink_all, [self._path(name) for name in names])

    async def settled(self) -> list[str]:
        """Return the names that were published more than an hour ago."""
        return await self._threads.run(_settled, self._root)

    async def sweep(self) -> None:
        """Remove staged files that a process left behind when it was killed."""
        await self._threads.run(_unlink_abandoned, self._staged)

    @contextlib.asynccontextmanager
    async def holding(self, names: Iterable[str]) -> AsyncIterator[None]:
        """Keep others from adding or removing these files meanwhile.

        Others are those of this process. Whoever writes a record of a file holds it from before
        the file is published until the record is written; whoever removes one holds it while
        looking for other records of it.
        So no record is left without its file.
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
        return self._root / name[:2] / name


def _write(folder: Path, content: bytes) -> Path:
    """Write a file that only its owner reads, and make its content durable."""
    for above in _make_folders(folder):
        _sync_folder(above)
    path = folder / secrets.token_hex(16)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        left = memoryview(content)
        while left:
            left = left[os.write(handle, left) :]
        os.fsync(handle)
    except BaseException:
        path.unlink()
        raise
    finally:
        os.close(handle)
    return path


def _move(moves: dict[Path, Path]) -> None:
    """Rename files, and make their new names durable."""
    changed: set[Path] = set()
    for path, published in moves.items():
        changed |= _make_folders(published.parent) | {published.parent}
        path.replace(published)
    for folder in changed:
        _sync_folder(folder)


def _make_folders(folder: Path) -> set[Path]:
    """Make a folder and what is missing above it; return the folders that got a new one."""
    if folder.is_dir():  # nearly always: there is no need to look above it
        return set()
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)
    return {each.parent for each in missing}


def _sync_folder(folder: Path) -> None:
    """Make new names survive a power failure; a file's own fsync does not."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unlink_all(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _unlink_abandoned(folder: Path) -> None:
    _unlink_all([path for path in folder.glob("*") if _is_old(path)])


def _settled(root: Path) -> list[str]:
    return [path.name for path in root.glob("??/*") if _is_old(path)]


def _is_old(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > _ABANDONED_AFTER_S
    except FileNotFoundError:
        # Somebody else has just removed it.
        return False
