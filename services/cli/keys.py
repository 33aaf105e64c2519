"""``dermserve keys``: the key that access tokens are signed with, on the machine that has it."""

from typing import Annotated

import typer

from services import environment
from services.cli.records import on_records
from services.gateway.boot import SIGNING_KEY
from services.gateway.database import Database
from services.gateway.security import key_ring, keys
from services.gateway.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="The key that access tokens are signed with, on the machine that has it.",
)


@app.callback()
def main() -> None:
    """Name the command's group, although it has one command only."""


@app.command()
def rotate(
    at_once: Annotated[
        bool,
        typer.Option(
            "--at-once",
            help="Believe no former key any more: for a key that may be in wrong hands. "
            "Clients then refresh their tokens.",
        ),
    ] = False,
) -> None:
    """Sign with a new key from now on. Nobody is signed out, nothing is restarted."""

    async def work(_records: Database) -> keys.SigningKey:
        return key_ring.rotate(environment.read(Settings).data_dir / SIGNING_KEY, at_once=at_once)

    try:
        key = on_records(work, ("dermserve keys rotate", "keys.rotate", "key"))
    except (environment.SettingsError, keys.KeyFileError, OSError) as error:
        typer.echo(f"dermserve: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(f"{key.id}: signs from now on")
