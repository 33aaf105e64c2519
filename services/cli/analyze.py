"""``dermserve analyze``: pictures in, results on the screen or as JSON lines."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from services import environment
from services.cli.engines import Engine, Failure, Result, in_process, over_rest
from services.cli.readable import readable
from services.inference.onnx_model import ModelError
from services.inference.settings import available_cores

SUFFIXES = (".jpg", ".jpeg", ".png")
"""What is taken from a folder; a file that is named is tried whatever its suffix."""


def analyze(
    paths: Annotated[
        list[Path], typer.Argument(metavar="FILE-OR-FOLDER...", exists=True, readable=True)
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON line a picture; so it is for a folder.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder for mask, overlay and explanation of each picture.")
    ] = None,
) -> None:
    """Analyze pictures with the models of this machine, or of DERMSERVE_SERVER if that is set."""
    lines = as_json or any(path.is_dir() for path in paths)
    try:
        failed = asyncio.run(_run(list(_pictures(paths)), lines=lines, out=out))
    except (environment.SettingsError, ModelError) as error:
        typer.echo(f"dermserve: {error}", err=True)
        raise typer.Exit(2) from error
    raise typer.Exit(1 if failed else 0)


async def _run(files: list[Path], *, lines: bool, out: Path | None) -> bool:
    """Analyze and print every picture; return whether one could not be analyzed."""
    failed = False
    console = Console()
    progress = Progress(console=Console(stderr=True), transient=True)
    progress.disable = len(files) == 1 or not progress.console.is_terminal
    with progress:
        task = progress.add_task("Analyzing", total=len(files))
        async with _engine() as engine:
            async for file, result in _in_order(engine, files):
                failed = failed or isinstance(result, Failure)
                if out and isinstance(result, Result):
                    _save(result, out / file.stem)
                if lines:
                    typer.echo(json.dumps(_line(file, result), ensure_ascii=False))
                else:
                    console.print(readable(file, result))
                progress.advance(task)
    return failed


def _engine() -> AbstractAsyncContextManager[Engine]:
    server = os.environ.get("DERMSERVE_SERVER")
    return over_rest(server, os.environ.get("DERMSERVE_TOKEN", "")) if server else in_process()


async def _in_order(
    engine: Engine, files: list[Path]
) -> AsyncIterator[tuple[Path, Result | Failure]]:
    """Keep twice the cores in work, and yield results in the order of the files."""
    free = asyncio.Semaphore(2 * available_cores())

    async def one(file: Path) -> Result | Failure:
        async with free:
            return await engine.analyze(file)

    tasks = [asyncio.create_task(one(file)) for file in files]
    for file, task in zip(files, tasks, strict=True):
        yield file, await task


def _pictures(paths: Iterable[Path]) -> Iterable[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES)
        else:
            yield path


def _line(file: Path, result: Result | Failure) -> dict[str, Any]:
    found = {"error": result.sentence} if isinstance(result, Failure) else result.analysis
    return {"file": str(file), **found}


def _save(result: Result, stem: Path) -> None:
    stem.parent.mkdir(parents=True, exist_ok=True)
    for name, png in result.pictures.items():
        stem.with_name(f"{stem.name}.{name}.png").write_bytes(png)
