"""``dermserve records``: what is kept, on the machine that has the database."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import typer

from services import environment
from services.gateway.app import BootError, open_records
from services.gateway.database import Database
from services.gateway.errors import GatewayError
from services.gateway.settings import Settings

_Result = TypeVar("_Result")


def on_records(work: Callable[[Database], Awaitable[_Result]]) -> _Result:
    """Do something with the gateway's database; what goes wrong is said in a sentence."""

    async def run() -> _Result:
        async with open_records(environment.read(Settings)) as records:
            return await work(records)

    try:
        return asyncio.run(run())
    except (environment.SettingsError, BootError, GatewayError) as error:
        typer.echo(f"dermserve: {error}", err=True)
        raise typer.Exit(1) from error
