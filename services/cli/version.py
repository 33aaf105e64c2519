"""``dermserve version``."""

import importlib.metadata

import typer

app = typer.Typer()


@app.command()
def version() -> None:
    """Print the version of dermserve."""
    typer.echo(importlib.metadata.version("dermserve"))
