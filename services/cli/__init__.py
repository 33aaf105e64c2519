"""The command line: each command is a few lines over a room."""

import importlib.metadata
import subprocess
import sys

import typer

from services.cli import models, users
from services.cli.analyze import analyze
from services.cli.up import up

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Dermoscopy analysis: research and decision support only, never a diagnosis.",
)
app.command()(up)
app.command()(analyze)
app.add_typer(users.app, name="users")
app.add_typer(models.app, name="models")


@app.command(
    context_settings={
        "allow_extra_args": True,
        "ignore_unknown_options": True,
        "help_option_names": [],
    }
)
def evaluate(context: typer.Context) -> None:
    """Measure the shipped models on held-out lesions and render their cards."""
    # The workshop is a program of its own: services never import it.
    finished = subprocess.run(
        [sys.executable, "-m", "weights.evaluate", *context.args], check=False
    )
    raise typer.Exit(finished.returncode)


@app.command()
def version() -> None:
    """Print the version of dermserve."""
    typer.echo(importlib.metadata.version("dermserve"))
