"""``dermserve batches``: folders of pictures, analyzed by a gateway when it has time for them."""

import hashlib
import json
import secrets
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from dermserve_client import Analysis, Batch, Client, ClientError
from dermserve_client.batches import MOST_PICTURES
from dermserve_client.errors import passes
from dermserve_client.patience import Patience
from services.cli import drawings
from services.cli.pictures import Paths, named
from services.cli.server import asked, refused

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Pictures that DERMSERVE_SERVER analyzes later, with the API key in DERMSERVE_TOKEN.",
)

_ROOM_WAIT_S = 5
"""Who is told to wait for longer has better things to do than to send a whole batch in vain."""

_PATIENCE_S = 300

_MOST_MEBIBYTES = 1024
"""A quarter of what a gateway takes, so that a lost line costs no more than that."""


Out = Annotated[
    Path | None, typer.Option(help="Folder for mask, overlay and explanation of each picture.")
]


@app.command()
def send(
    paths: Paths,
    batch_pictures: Annotated[
        int, typer.Option(min=1, max=MOST_PICTURES, help="Most pictures of a batch.")
    ] = MOST_PICTURES,
    batch_mebibytes: Annotated[
        int, typer.Option(min=1, help="Most MiB of a batch; a picture may have more by itself.")
    ] = _MOST_MEBIBYTES,
    anew: Annotated[
        bool, typer.Option("--anew", help="Make new batches of what was sent before, too.")
    ] = False,
    out: Out = None,
) -> None:
    """Send pictures, wait for all of them, and print one JSON line each.

    They are kept when the batch is named on stderr. Whatever happens then to this command or to the
    line, `dermserve batches wait` has the results. The same command goes on where it was, for a
    day: what was sent is not made twice.
    """
    pictures = _by_name(paths)
    with asked() as client, asked(_ROOM_WAIT_S) as sender:
        parts = _split(pictures, batch_pictures, batch_mebibytes << 20)
        _finish(client, sent(sender, parts, anew=anew), out)


@app.command()
def wait(
    batch_ids: Annotated[list[str], typer.Argument(metavar="BATCH...")], out: Out = None
) -> None:
    """Wait for batches that were sent, and print one JSON line a picture."""
    with asked() as client:
        _finish(client, [client.batches.get(batch_id) for batch_id in batch_ids], out)


def _by_name(paths: list[Path]) -> dict[str, Path]:
    """Return pictures by the names that the gateway is told, and that results come with."""
    found: dict[str, Path] = {}
    for file, place in named(paths):
        if found.setdefault(place.as_posix(), file) != file:
            raise refused(f"two pictures would be called {place.as_posix()}: send them apart")
    if not found:
        raise refused("there is no picture")
    return found


def _split(
    pictures: Mapping[str, Path], most_pictures: int, most_bytes: int
) -> Iterator[dict[str, Path]]:
    part: dict[str, Path] = {}
    size = 0
    for name, file in pictures.items():
        more = file.stat().st_size
        if part and (len(part) == most_pictures or size + more > most_bytes):
            yield part
            part, size = {}, 0
        part[name] = file
        size += more
    yield part


def sent(
    client: Client, parts: Iterable[Mapping[str, Path]], *, anew: bool = False
) -> Iterator[Batch]:
    """Send parts as batches, and yield each batch when it is to be waited for.

    That is when all are sent, or earlier, where the gateway has no room for the next one.

    Raises:
        ClientError: a part was refused for good, or for five minutes; all batches are yielded
            before.
        OSError: a picture cannot be read; likewise.

    """
    unfinished: deque[Batch] = deque()
    try:
        for part in parts:
            key = _key(part, salt=secrets.token_hex() if anew else "")
            patience = Patience(_PATIENCE_S)
            while (batch := _taken(client, part, key, None if unfinished else patience)) is None:
                yield unfinished.popleft()
            unfinished.append(batch)
    except (ClientError, OSError):
        yield from unfinished
        raise
    yield from unfinished


def _key(pictures: Mapping[str, Path], *, salt: str) -> str:
    """Name pictures by what they are and are called."""
    whole = hashlib.sha256(salt.encode())
    for name, path in pictures.items():
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        whole.update(json.dumps([name, content]).encode())
    return whole.hexdigest()


def _taken(
    client: Client, pictures: Mapping[str, Path], key: str, patience: Patience | None
) -> Batch | None:
    """Send a batch; None if there is no room for it, unless somebody has the patience to wait."""
    while True:
        try:
            batch = client.batches.create(pictures, key=key)
        except ClientError as error:
            if patience is not None:
                patience.wait(error)
            elif passes(error):
                return None
            else:
                raise
        else:
            typer.echo(f"dermserve: {batch.pictures} pictures are batch {batch.id}", err=True)
            return batch


def _finish(client: Client, batches: Iterable[Batch], out: Path | None) -> None:
    """Wait for batches and print their results; the status is 1 if a picture has failed."""
    progress = Progress(console=Console(stderr=True), transient=True)
    progress.disable = not progress.console.is_terminal
    failed = False
    with progress:
        for batch in batches:
            task = progress.add_task("Analyzing", total=batch.pictures)
            for now in client.batches.watch(batch.id):
                progress.update(task, completed=now.succeeded + now.failed)
                failed = failed or now.failed > 0
            for analysis in sorted(client.analyses.list(batch=batch.id), key=_name):
                if out and analysis.problem is None:
                    fetched = drawings.fetched(client, analysis.id)
                    drawings.save(fetched, out, Path(_name(analysis) or analysis.id))
                typer.echo(json.dumps(_line(analysis), ensure_ascii=False))
    raise typer.Exit(1 if failed else 0)


def _name(analysis: Analysis) -> str:
    return analysis.file_name or ""


def _line(analysis: Analysis) -> dict[str, Any]:
    """Show a result as ``dermserve analyze`` does."""
    if analysis.problem is not None:
        return {"file": _name(analysis), "error": analysis.problem.detail}
    return {"file": _name(analysis), **analysis.model_dump(mode="json")}
