"""Pictures in a local folder, outside every web root.

A file appears whole or not at all, is readable for its owner only, and its name comes from its
content alone, never from a caller.

Making a file survive a power failure takes a disk milliseconds. So what is known early is staged
early, written and durable but without its name, while other work goes on; the rest is written
and all of it named in one go, in one thread.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from pathlib import Path
from typing import ParamSpec, TypeVar

from services.gateway import errors
from services.gateway.store import files
from services.gateway.store.disk import told
from services.gateway.store.intact import intact, is_ours
from services.gateway.store.stage import Stage
from services.gateway.store.store import SETTLED_AFTER_S
from services.gateway.threads import Threads

_FILES_AT_ONCE = 16
_READ_WITHIN_S = 10.0
CHANGED_WITHIN_S = 20.0
"""How long a step of keeping or removing something may take."""

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


class Folder:
    """A folder for each organisation, its files dealt into 256 folders by their first byte.

    Few enough that they soon exist: making a folder durable costs as much as a file.
    """

    is_near = True

    def __init__(self, root: Path, settled_after_s: float = SETTLED_AFTER_S) -> None:
        """Build over a folder.

        Args:
            root: made when the first file is kept.
            settled_after_s: seconds after which a file is not on its way into a record any more.

        """
        self._root = root
        self._staged = root / "staged"
        self._settled_after_s = settled_after_s
        # Apart, so that files are shown while nothing can be written.
        self._threads = Threads(_FILES_AT_ONCE)
        self._changing = Threads(_FILES_AT_ONCE, CHANGED_WITHIN_S)

    @contextlib.asynccontextmanager
    async def stage(self, organisation_id: str) -> AsyncIterator[Stage]:
        """Open a stage for some files."""
        stage = _FolderStage(organisation_id, self)
        try:
            yield stage
        finally:
            await stage.clear()

    async def get(self, organisation_id: str, name: str) -> bytes:
        """Return the content of a file; raises as every store does."""
        return await self._look(_read, self.path(organisation_id, name))

    async def remove(self, organisation_id: str, names: Iterable[str]) -> None:
        """Remove files; missing ones are no error. None is begun with once nobody waits for it."""
        paths = [self.path(organisation_id, name) for name in names]
        await self.change(files.unlink_until, paths, time.monotonic() + CHANGED_WITHIN_S)

    async def settled(self) -> AsyncIterator[tuple[str, list[str]]]:
        """Yield names of old files, one of the 256 folders at a time."""
        for folder in await self.run(_folders, self._root):
            organisation_id = folder.parent.name
            old = await self.run(files.old, folder, self._settled_after_s)
            names = [path.name for path in old if is_ours(organisation_id, path.name)]
            if names:
                yield organisation_id, names

    async def sweep(self) -> None:
        """Remove staged files that a process left behind when it was killed."""
        abandoned = await self.run(files.old, self._staged, self._settled_after_s)
        await self.run(files.unlink_all, abandoned)

    async def trouble(self) -> str | None:
        """Look into the folder, and at who writes; whether there is room is asked elsewhere."""
        try:
            await self._look(_enter, self._root)
        except errors.StoreUnavailableError:
            return "unavailable"
        return "unavailable" if self._changing.all_hang else None

    async def unassigned(self) -> list[str]:
        """Return names of files that lie here as they did before organisations had folders."""
        return await self.run(_unassigned, self._root)

    async def assign(self, owners: Mapping[str, Iterable[str]]) -> None:
        """Give such files to those whose they are; whoever is stopped within may do it again.

        Args:
            owners: the organisations of each file by its name; what nobody owns is left.

        """
        moves = {
            self._root / name[:2] / name: [self.path(each, name) for each in sorted(theirs)]
            for name, theirs in owners.items()
        }
        await self.run(files.deal_out, moves)

    async def discard(self, names: Iterable[str]) -> None:
        """Remove such files that are old."""
        paths = [self._root / name[:2] / name for name in names]
        await self.run(files.unlink_older, paths, self._settled_after_s)

    def path(self, organisation_id: str, name: str) -> Path:
        """Return where a file lies."""
        return self._root / organisation_id / name[:2] / name

    def write(self, content: bytes) -> Path:
        """Write a file without its name, in the caller's thread; return where it is."""
        return files.write(self._staged, content)

    async def change(
        self,
        function: Callable[_Arguments, _Result],
        *args: _Arguments.args,
        **kwargs: _Arguments.kwargs,
    ) -> _Result:
        """Change files in a thread, as ``run`` works on them, but wait no longer than a while.

        What a disk that hangs does later harms nobody: a file that nobody was told of is one that
        no record has, and goes as those do which a process left behind. Only where several hosts
        share the folder may one remove so late what another has kept anew meanwhile.
        """
        with told():
            return await self._changing.run(function, *args, **kwargs)

    async def run(
        self,
        function: Callable[_Arguments, _Result],
        *args: _Arguments.args,
        **kwargs: _Arguments.kwargs,
    ) -> _Result:
        """Work on files in a thread, to the end; for what no request waits for.

        Raises:
            FileNotFoundError: one is not there.
            InsufficientStorageError: the disk is full.
            StoreUnavailableError: the disk, or the server that has it, is in trouble.

        """
        with told():
            return await self._threads.run(function, *args, **kwargs)

    async def _look(self, function: Callable[[Path], _Result], path: Path) -> _Result:
        """Look at files in a thread, as ``run`` works on them, but no longer than a while.

        A disk, or a server, that does not answer keeps the thread until it does.
        """
        with told():
            async with asyncio.timeout(_READ_WITHIN_S):
                return await self._threads.look(function, path)


class _FolderStage(Stage):
    """Files that are written early, and removed unless they are published."""

    def __init__(self, organisation_id: str, folder: Folder) -> None:
        super().__init__(organisation_id)
        self._folder = folder
        self._writing: dict[str, asyncio.Task[None]] = {}
        self._written: dict[str, Path] = {}

    def begin(self, name: str, content: bytes) -> None:
        """Begin to write a file, and return at once."""
        super().begin(name, content)
        self._writing[name] = asyncio.create_task(self._folder.change(self._write, name))

    async def publish(self) -> None:
        """Give all files their names; those that are there already are replaced by the same."""
        for writing in self._writing.values():
            await writing
        await self._folder.change(self._publish)

    async def clear(self) -> None:
        """Remove what was not published."""
        await asyncio.gather(*self._writing.values(), return_exceptions=True)
        if self._written:
            # What stays is swept later.
            with contextlib.suppress(errors.StoreUnavailableError):
                await self._folder.change(files.unlink_all, list(self._written.values()))

    def _write(self, name: str) -> None:
        self._written[name] = self._folder.write(self.contents[name])

    def _publish(self) -> None:
        for name in self.contents.keys() - self._written.keys():
            self._write(name)
        named = {
            path: self._folder.path(self.organisation_id, name)
            for name, path in self._written.items()
        }
        files.move(named)
        self._written.clear()


def _enter(root: Path) -> None:
    # It is made when the first file is kept.
    with contextlib.suppress(FileNotFoundError), os.scandir(root) as entries:
        next(entries, None)


def _read(path: Path) -> bytes:
    return intact(path.name, path.read_bytes())


def _folders(root: Path) -> list[Path]:
    return [folder for folder in root.glob(f"{'?' * 32}/??") if folder.is_dir()]


def _unassigned(root: Path) -> list[str]:
    return [path.name for path in root.glob(f"??/{'?' * 64}")]
