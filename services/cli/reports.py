"""``dermserve reports``: PDFs of what a gateway has."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from dermserve_client.reports import Language, Reported
from services.cli.server import asked

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Reports (PDF) from DERMSERVE_SERVER, with the API key in DERMSERVE_TOKEN.",
)

_Id = Annotated[str, typer.Argument(metavar="ID")]
_Out = Annotated[Path | None, typer.Option(help="File to write; else it is named after the id.")]
_Language = Annotated[
    Literal["en", "de"] | None, typer.Option(help="That it is written in; else the gateway's own.")
]


@app.command()
def analysis(record_id: _Id, out: _Out = None, language: _Language = None) -> None:
    """Write the report of an analysis."""
    with asked() as client:
        _write(client.analyses, record_id, out, language)


@app.command()
def lesion(record_id: _Id, out: _Out = None, language: _Language = None) -> None:
    """Write the report of a lesion over time."""
    with asked() as client:
        _write(client.lesions, record_id, out, language)


@app.command()
def batch(record_id: _Id, out: _Out = None, language: _Language = None) -> None:
    """Write the report of a batch: what became of each picture."""
    with asked() as client:
        _write(client.batches, record_id, out, language)


def _write(records: Reported, record_id: str, out: Path | None, language: Language | None) -> None:
    path = out or Path(f"{record_id}.pdf")
    path.write_bytes(records.report(record_id, language))
    typer.echo(path)
