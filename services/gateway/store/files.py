"""Files that survive a power failure once they have their names; in the caller's thread."""

import os
import secrets
import time
from collections.abc import Iterable, Mapping
from pathlib import Path


def write(folder: Path, content: bytes) -> Path:
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


def move(moves: Mapping[Path, Path]) -> None:
    """Rename files, and make their new names durable."""
    changed: set[Path] = set()
    for path, published in moves.items():
        changed |= _make_folders(published.parent) | {published.parent}
        path.replace(published)
    _sync_all(changed)


def deal_out(moves: Mapping[Path, Iterable[Path]]) -> None:
    """Give files other names, each as many as it is to have; one without any keeps its own."""
    changed: set[Path] = set()
    dealt: list[Path] = []
    for path, names in moves.items():
        for name in names:
            changed |= _make_folders(name.parent) | {name.parent}
            if not name.exists():
                name.hardlink_to(path)
            dealt.append(path)
    # The old names go when the new ones are there to stay.
    _sync_all(changed)
    unlink_all(dealt)


def unlink_all(paths: Iterable[Path]) -> None:
    """Remove files; missing ones are no error."""
    for path in paths:
        path.unlink(missing_ok=True)


def unlink_until(paths: Iterable[Path], moment: float) -> None:
    """Remove files, and begin with none after a moment of the monotonic clock.

    Raises:
        TimeoutError: it has come.

    """
    for path in paths:
        if time.monotonic() > moment:
            raise TimeoutError
        path.unlink(missing_ok=True)


def unlink_older(paths: Iterable[Path], after_s: float) -> None:
    """Remove those of some files that nobody wrote or named for some seconds."""
    unlink_all(older(paths, after_s))


def old(folder: Path, after_s: float) -> list[Path]:
    """Return the files in a folder that nobody wrote or named for some seconds."""
    return older(folder.glob("*"), after_s)


def older(paths: Iterable[Path], after_s: float) -> list[Path]:
    """Return those of some files that nobody wrote or named for some seconds."""
    return [path for path in paths if _age_s(path) > after_s]


def _age_s(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        # Somebody else has just removed it.
        return 0.0


def _make_folders(folder: Path) -> set[Path]:
    """Make a folder and what is missing above it; return the folders that got a new one."""
    if folder.is_dir():  # nearly always: there is no need to look above it
        return set()
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)
    return {each.parent for each in missing}


def _sync_all(folders: Iterable[Path]) -> None:
    for folder in folders:
        _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    """Make new names survive a power failure; a file's own fsync does not."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
