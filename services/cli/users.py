"""``dermserve users``: accounts, on the machine that has the database."""

from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from services.cli.records import on_records
from services.gateway.database import Database
from services.gateway.identity import Accounts, Attempts, Organisations, Passwords
from services.gateway.records import Role, User

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
    role: Annotated[Role, typer.Option(help="What they may do.")] = Role.CLINICIAN,
    admin: Annotated[bool, typer.Option("--admin", help="Short for --role admin.")] = False,
    organisation: Annotated[str, typer.Option(help="Name of theirs.")] = "default",
) -> None:
    """Make an account."""

    async def work(records: Database) -> User:
        found = await Organisations(records).called(organisation)
        accounts = _accounts(records)
        return await accounts.create(username, password, Role.ADMIN if admin else role, found.id)

    _show(on_records(work))


@app.command()
def promote(username: Username) -> None:
    """Make a user an administrator of their organisation, from their next request on."""
    _do(lambda accounts: accounts.promote(username))


@app.command()
def disable(username: Username) -> None:
    """Keep a user from signing in, and end their sign-ins at once."""
    _do(lambda accounts: accounts.disable(username))


def _do(work: Callable[[Accounts], Awaitable[User]]) -> None:
    _show(on_records(lambda records: work(_accounts(records))))


def _accounts(records: Database) -> Accounts:
    return Accounts(records, Passwords(records, Attempts(records)))


def _show(user: User) -> None:
    state = "disabled" if user.disabled else user.role
    typer.echo(f"{user.username}: {state}")
