"""The pictures that a command is given: files, and what lies in folders."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

SUFFIXES = (".jpg", ".jpeg", ".png")
"""What is taken from a folder; a file that is named is tried whatever its suffix."""

Paths = Annotated[
    list[Path], typer.Argument(metavar="FILE-OR-FOLDER...", exists=True, readable=True)
]


def named(paths: Iterable[Path]) -> Iterator[tuple[Path, Path]]:
    """Yield each picture with its place below the folder that it lies in."""
    for path in paths:
        if path.is_dir():
            for file in sorted(path.rglob("*")):
                if file.suffix.lower() in SUFFIXES:
                    yield file, file.relative_to(path)
        else:
            yield path, Path(path.name)
