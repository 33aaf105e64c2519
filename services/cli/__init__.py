"""The command line: each command is a few lines over a room, loaded when it is called."""

import importlib
from typing import Any

import typer
from typer.core import TyperGroup

from services import telemetry

_COMMANDS = (
    "up",
    "analyze",
    "batches",
    "reports",
    "statistics",
    "users",
    "organisations",
    "records",
    "audit",
    "keys",
    "models",
    "evaluate",
    "version",
)
"""Each is a module of this package with a Typer ``app``."""


class _Commands(TyperGroup):
    """Finds commands by name: ``version`` need not wait for what ``analyze`` imports.

    The types are click's, of which Typer carries a copy of its own.
    """

    def list_commands(self, ctx: Any) -> list[str]:
        """Name the commands, in the order in which help shows them."""
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Load a command, or say that there is none of this name."""
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        command = typer.main.get_command(importlib.import_module(f"{__name__}.{cmd_name}").app)
        command.name = cmd_name
        return command


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.callback()
def main() -> None:
    """Dermoscopy analysis: research and decision support only, never a diagnosis."""
    # What a command answers goes to stdout alone; rooms that run in here still warn.
    telemetry.configure_logging("cli", "WARNING")
