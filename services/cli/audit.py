"""``dermserve audit``: who did what, on the machine that has the database."""

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from services import environment
from services.cli.records import on_records
from services.gateway import auditing
from services.gateway.audit import Asked, moment
from services.gateway.audit.verification import Chain
from services.gateway.database import Database
from services.gateway.errors import GatewayError
from services.gateway.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Who did what, on the machine that has the database.",
)


@app.command()
def verify(
    file: Annotated[
        Path | None, typer.Argument(exists=True, help="An export; by default the database.")
    ] = None,
    anchors: Annotated[
        Path | None,
        typer.Option(exists=True, help="Lines of JSON kept elsewhere: logs, exports, this output."),
    ] = None,
) -> None:
    """Find every row that was changed, removed, moved or slipped in; then the exit status is 1.

    The output has a line of JSON for each chain. Keep it elsewhere: it is an anchor.
    """
    settings = environment.read(Settings)
    if file is not None:
        chains = _of_file(file, settings)
    else:
        chains = on_records(lambda records: auditing.verified(records, settings, anchors))
    for chain in chains:
        typer.echo(json.dumps(auditing.said(chain)))
    if any(chain.findings for chain in chains):
        raise typer.Exit(1)


def _of_file(file: Path, settings: Settings) -> list[Chain]:
    try:
        return auditing.verified_file(file, settings)
    except GatewayError as error:
        typer.echo(f"dermserve: {error}", err=True)
        raise typer.Exit(1) from error


@app.command()
def export(
    organisation: Annotated[str | None, typer.Option(help="Name of the one; else all.")] = None,
    since: Annotated[datetime | None, typer.Option(help="From then on, in UTC.")] = None,
    until: Annotated[datetime | None, typer.Option(help="Before then, in UTC.")] = None,
) -> None:
    """Write rows as lines of JSON, oldest first."""
    first, last = (None if each is None else moment(each) for each in (since, until))
    asked = Asked(since=first, until=last)

    async def work(records: Database) -> None:
        settings = environment.read(Settings)
        async for line in auditing.exported(records, settings, organisation, asked):
            typer.echo(line)

    on_records(work)


@app.command()
def prune(
    before: Annotated[datetime, typer.Option(help="Rows from before then go, in UTC.")],
) -> None:
    """Remove old rows for good, from the first on; the rest can be verified as before."""
    settings = environment.read(Settings)
    gone = on_records(lambda records: auditing.pruned(records, settings, before))
    typer.echo(f"{gone} rows are gone for good")
