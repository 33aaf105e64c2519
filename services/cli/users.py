"""``dermserve users``: accounts, on the machine that has the database."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from services import environment
from services.gateway.app import BootError, open_accounts
from services.gateway.errors import GatewayError
from services.gateway.identity import Accounts
from services.gateway.records import Role, User
from services.gateway.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Accounts, on the machine that has the database.",
)

Username = Annotated[str, typer.Argument(help="Upper and lower case are the same.")]
Password = Annotated[
    str,
    typer.Option(
        prompt=True,
        hide_input=True,
        confirmation_prompt=True,
        envvar="DERMSERVE_NEW_PASSWORD",
        help="Asked for when not given: an option stays in the shell's history.",
    ),
]


@app.command()
def create(
    username: Username,
    password: Password,
    admin: Annotated[bool, typer.Option("--admin", help="Make an administrator.")] = False,
) -> None:
    """Make an account."""
    role = Role.ADMIN if admin else Role.USER
    _do(lambda accounts: accounts.create(username, password, role))


@app.command()
def promote(username: Username) -> None:
    """Make a user an administrator, from their next request on."""
    _do(lambda accounts: accounts.promote(username))


@app.command()
def disable(username: Username) -> None:
    """Keep a user from signing in, and end their sign-ins at once."""
    _do(lambda accounts: accounts.disable(username))


def _do(work: Callable[[Accounts], Awaitable[User]]) -> None:
    async def run() -> User:
        async with open_accounts(environment.read(Settings)) as accounts:
            return await work(accounts)

    try:
        user = asyncio.run(run())
    except (environment.SettingsError, BootError, GatewayError) as error:
        typer.echo(f"dermserve: {error}", err=True)
        raise typer.Exit(1) from error
    state = "disabled" if user.disabled else user.role
    typer.echo(f"{user.username}: {state}")
