"""``dermserve organisations``: those who work together, on the machine that has the database."""

from typing import Annotated

import typer

from services.cli.records import on_records
from services.gateway.identity import Organisations
from services.gateway.records import Organisation

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Those who work together, on the machine that has the database.",
)

Name = Annotated[str, typer.Argument(help="As people call it.")]


@app.command()
def create(
    name: Name,
    private: Annotated[
        bool, typer.Option("--private", help="Each user sees their own records only.")
    ] = False,
) -> None:
    """Make an organisation whose users see each other's records."""
    _show(on_records(lambda records: Organisations(records).create(name, shared=not private)))


@app.command()
def share(
    name: Name,
    private: Annotated[
        bool, typer.Option("--private", help="From now on each sees their own only.")
    ] = False,
) -> None:
    """Let the users of an organisation see each other's records from their next request on."""
    _show(on_records(lambda records: Organisations(records).share(name, shared=not private)))


@app.command("list")
def list_organisations() -> None:
    """List the organisations."""
    for organisation in on_records(lambda records: Organisations(records).all()):
        _show(organisation)


def _show(organisation: Organisation) -> None:
    typer.echo(f"{organisation.name}: {'shared' if organisation.shared else 'private'}")
