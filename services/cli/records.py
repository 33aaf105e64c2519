"""``dermserve records``: what is kept, on the machine that has the database."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import typer

from services import environment
from services.gateway import audit
from services.gateway import purge as purging
from services.gateway.boot import BootError, audit_trail, open_records
from services.gateway.database import Database
from services.gateway.errors import GatewayError
from services.gateway.settings import Settings

_Result = TypeVar("_Result")

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="What is kept, on the machine that has the database and the pictures.",
)


@app.callback()
def main() -> None:
    """Have subcommands, though there is one."""


@app.command()
def purge() -> None:
    """Remove for good what was removed longer ago than the retention, with its pictures."""
    typer.echo(on_records(lambda records: purging.purge(records, environment.read(Settings))))


def on_records(
    work: Callable[[Database], Awaitable[_Result]], recorded: tuple[str, str, str] | None = None
) -> _Result:
    """Do something with the gateway's database; what goes wrong is said in a sentence.

    Args:
        work: what to do.
        recorded: for what changes something, what the audit says of it: the command, the action
            and the kind of its subject.

    """

    async def run() -> _Result:
        settings = environment.read(Settings)
        async with open_records(settings) as records:
            if recorded is None:
                return await work(records)
            async with audit.commanded(audit_trail(records, settings), *recorded):
                return await work(records)

    try:
        return asyncio.run(run())
    except (environment.SettingsError, BootError, GatewayError) as error:
        typer.echo(f"dermserve: {error}", err=True)
        raise typer.Exit(1) from error
