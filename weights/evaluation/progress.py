"""How far a long evaluation has come: shown to a person at a terminal, silent in a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.progress import MofNCompleteColumn as Done

if TYPE_CHECKING:
    from collections.abc import Iterable

_Item = TypeVar("_Item")


def watched(items: Iterable[_Item], title: str, total: int) -> Iterable[_Item]:
    """Yield ``items``, of which there are ``total``, and show how many are done."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), Done(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        yield from progress.track(items, total=total, description=title)
