"""``dermserve organisations``: those who work together, on the machine that has the database."""

from collections.abc import Awaitable, Callable
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
Most = Annotated[int | None, typer.Option(min=1, show_default=False, help="The most to keep.")]


@app.command()
def create(
    name: Name,
    private: Annotated[
        bool, typer.Option("--private", help="Each user sees their own records only.")
    ] = False,
) -> None:
    """Make an organisation whose users see each other's records."""
    _do("create", lambda made: made.create(name, shared=not private))


@app.command()
def share(
    name: Name,
    private: Annotated[
        bool, typer.Option("--private", help="From now on each sees their own only.")
    ] = False,
) -> None:
    """Let the users of an organisation see each other's records from their next request on."""
    _do("share", lambda known: known.share(name, shared=not private))


@app.command()
def quota(
    name: Name,
    most_bytes: Annotated[
        int | None, typer.Option("--bytes", min=1, show_default=False, help="The most to keep.")
    ] = None,
    pictures: Most = None,
    user_bytes: Most = None,
    user_pictures: Most = None,
    defaults: Annotated[
        bool, typer.Option("--defaults", help="Forget all others; the settings say.")
    ] = False,
) -> None:
    """Bound what is kept for an organisation, and for each of its users."""
    given = {
        "quota_bytes": most_bytes,
        "quota_pictures": pictures,
        "user_quota_bytes": user_bytes,
        "user_quota_pictures": user_pictures,
    }
    changed = {column: most for column, most in given.items() if defaults or most is not None}
    _do("quota", lambda known: known.bound(name, changed))


@app.command("list")
def list_organisations() -> None:
    """List the organisations."""
    for organisation in on_records(lambda records: Organisations(records).all()):
        _show(organisation)


def _do(command: str, work: Callable[[Organisations], Awaitable[Organisation]]) -> None:
    verb = "create" if command == "create" else "change"
    recorded = (f"dermserve organisations {command}", f"organisations.{verb}", "organisation")
    _show(on_records(lambda records: work(Organisations(records)), recorded))


def _show(organisation: Organisation) -> None:
    quotas = "".join(
        f", at most {most:,} {what}"
        for what, most in (
            ("bytes", organisation.quota_bytes),
            ("pictures", organisation.quota_pictures),
            ("bytes a user", organisation.user_quota_bytes),
            ("pictures a user", organisation.user_quota_pictures),
        )
        if most is not None
    )
    typer.echo(f"{organisation.name}: {'shared' if organisation.shared else 'private'}{quotas}")
