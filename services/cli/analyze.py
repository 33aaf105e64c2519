"""``dermserve analyze``: pictures in, results on the screen or as JSON lines."""

import asyncio
import json
import os
from collections import deque
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from services import environment
from services.cli import drawings
from services.cli.engines import Engine, Failure, Result, in_process, over_rest
from services.cli.pictures import Paths, named
from services.cli.readable import readable
from services.inference.model_file import ModelError
from services.inference.settings import available_cores

app = typer.Typer()


@app.command()
def analyze(
    paths: Paths,
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
        failed = asyncio.run(_run(list(named(paths)), lines=lines, out=out))
    except (environment.SettingsError, ModelError) as error:
        typer.echo(f"dermserve: {error}", err=True)
        raise typer.Exit(2) from error
    raise typer.Exit(1 if failed else 0)


async def _run(pictures: list[tuple[Path, Path]], *, lines: bool, out: Path | None) -> bool:
    """Analyze and print every picture; return whether one could not be analyzed.

    Args:
        pictures: files, each with the place that its drawings take.
        lines: print JSON lines.
        out: folder for drawings.

    """
    failed = False
    console = Console()
    progress = Progress(console=Console(stderr=True), transient=True)
    progress.disable = len(pictures) == 1 or not progress.console.is_terminal
    with progress:
        task = progress.add_task("Analyzing", total=len(pictures))
        async with _engine() as engine:
            async for (file, place), result in _in_order(engine, pictures):
                failed = failed or isinstance(result, Failure)
                if out and isinstance(result, Result):
                    drawings.save(await result.drawings(), out, place)
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
    engine: Engine, pictures: list[tuple[Path, Path]]
) -> AsyncIterator[tuple[tuple[Path, Path], Result | Failure]]:
    """Keep some pictures more than there are cores in work, and yield results in order."""
    in_work: deque[tuple[tuple[Path, Path], asyncio.Task[Result | Failure]]] = deque()
    for pair in pictures:
        in_work.append((pair, asyncio.create_task(engine.analyze(pair[0]))))
        if len(in_work) > 2 * available_cores():
            first, task = in_work.popleft()
            yield first, await task
    for first, task in in_work:
        yield first, await task


def _line(file: Path, result: Result | Failure) -> dict[str, Any]:
    found = {"error": result.sentence} if isinstance(result, Failure) else result.analysis
    return {"file": str(file), **found}
