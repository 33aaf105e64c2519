"""``dermserve users``: accounts, on the machine that has the database."""

from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from services import environment
from services.cli.records import on_records
from services.gateway.boot import BootError, breached_passwords
from services.gateway.database import EVERYTHING, Database
from services.gateway.identity import (
    Accounts,
    Attempts,
    Links,
    Organisations,
    PasswordResets,
    Passwords,
    ResetCode,
)
from services.gateway.identity.second_factors import remove_lost
from services.gateway.records import Role, User
from services.gateway.security.breached_passwords import BreachedPasswords
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
    role: Annotated[Role, typer.Option(help="What they may do.")] = Role.CLINICIAN,
    admin: Annotated[bool, typer.Option("--admin", help="Short for --role admin.")] = False,
    organisation: Annotated[str, typer.Option(help="Name of theirs.")] = "default",
) -> None:
    """Make an account."""

    async def work(records: Database) -> User:
        found = await Organisations(records).called(organisation)
        accounts = _accounts(records)
        return await accounts.create(username, password, Role.ADMIN if admin else role, found.id)

    _show(on_records(work, ("dermserve users create", "users.create", "user")))


@app.command()
def promote(username: Username) -> None:
    """Make a user an administrator of their organisation, from their next request on."""
    _do("promote", lambda accounts: accounts.promote(username))


@app.command()
def disable(username: Username) -> None:
    """Keep a user from signing in, and end their sign-ins at once."""
    _do("disable", lambda accounts: accounts.disable(username))


@app.command()
def reset_password(username: Username) -> None:
    """Make a code with which a user who forgot their password chooses another one."""

    async def work(records: Database) -> ResetCode:
        passwords = _passwords(records)
        user = await Accounts(records, passwords).called(EVERYTHING, username)
        return await PasswordResets(records, passwords).issue(user)

    made = on_records(work, ("dermserve users reset-password", "password.reset.begin", "user"))
    typer.echo(made.code)
    until = f"{made.expires_at:%Y-%m-%d %H:%M} UTC"
    typer.echo(f"Good once, until {until}, at /sign-in/reset of the gateway.", err=True)


@app.command()
def remove_second_factor(username: Username) -> None:
    """Take the second factor away of a user who has lost it, and end all their sign-ins."""

    async def work(records: Database) -> None:
        user = await Accounts(records, _passwords(records)).called(EVERYTHING, username)
        await remove_lost(records, user)

    recorded = ("dermserve users remove-second-factor", "second_factor.remove", "user")
    on_records(work, recorded)
    typer.echo(f"{username.lower()}: no second factor")


@app.command()
def link(
    username: Username,
    subject: Annotated[str, typer.Argument(help="What the provider calls them (`sub`).")],
) -> None:
    """Let somebody of the identity provider sign in as a user; end what their password began."""
    recorded = ("dermserve users link", "users.link", "user")
    on_records(lambda records: _links(records).link(username, subject), recorded)
    typer.echo(f"{username.lower()}: linked")


@app.command()
def unlink(username: Username) -> None:
    """Let nobody of the identity provider sign in as a user, and end sign-ins that began there."""
    recorded = ("dermserve users unlink", "users.unlink", "user")
    on_records(lambda records: _links(records).unlink(username), recorded)
    typer.echo(f"{username.lower()}: not linked")


def _links(records: Database) -> Links:
    issuer = environment.read(Settings).oidc_issuer
    if not issuer:
        raise BootError("there is no identity provider: set DERMSERVE_GATEWAY_OIDC_ISSUER")
    return Links(records, issuer)


def _do(command: str, work: Callable[[Accounts], Awaitable[User]]) -> None:
    recorded = (f"dermserve users {command}", "users.change", "user")
    # No password is chosen, so the file of breached ones need not be there.
    _show(on_records(lambda records: work(Accounts(records, _passwords(records))), recorded))


def _accounts(records: Database) -> Accounts:
    return Accounts(records, _passwords(records, breached_passwords(environment.read(Settings))))


def _passwords(records: Database, breached: BreachedPasswords | None = None) -> Passwords:
    return Passwords(records, Attempts(records), breached=breached)


def _show(user: User) -> None:
    state = "disabled" if user.disabled else user.role
    typer.echo(f"{user.username}: {state}")
