"""``dermserve evaluate``: how well the shipped models do."""

import subprocess
import sys

import typer

app = typer.Typer()


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
    command = [sys.executable, "-m", "weights.evaluate", *context.args]
    raise typer.Exit(subprocess.run(command, check=False).returncode)
