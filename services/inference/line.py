"""The rows that wait for a runner: oldest first, interactive and bulk apart."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from services.inference.priority import Priority

Row = TypeVar("Row")


@dataclass(slots=True, eq=False)
class Waiting(Generic[Row]):
    """A row in the line.

    Attributes:
        row: what is to be run.
        deadline: when its answer is of no more use, on the event loop's clock.
        priority: how soon it is needed.
        since: when the request that it belongs to came, on the event loop's clock.
        arrived: when it came into this line itself.
        future: where its caller waits.

    """

    row: Row
    deadline: float
    priority: Priority
    since: float
    arrived: float
    future: asyncio.Future[Any]

    def fail(self, error: Exception) -> None:
        """Answer the caller with an error, if it still waits."""
        if not self.future.done():
            self.future.set_exception(error)


class Line(Generic[Row]):
    """Who waits; whoever leaves is gone at once, and takes no place."""

    def __init__(self) -> None:
        """Begin empty."""
        self._rows: dict[Priority, OrderedDict[Waiting[Row], None]] = {
            priority: OrderedDict() for priority in Priority
        }

    def __len__(self) -> int:
        return sum(map(len, self._rows.values()))

    def count(self, priority: Priority) -> int:
        """Return how many rows of a priority wait."""
        return len(self._rows[priority])

    def add(self, waiting: Waiting[Row]) -> None:
        """Let a row join at the end."""
        self._rows[waiting.priority][waiting] = None

    def remove(self, waiting: Waiting[Row]) -> bool:
        """Take a row out, and say whether it was there."""
        rows = self._rows[waiting.priority]
        if waiting not in rows:
            return False
        del rows[waiting]
        return True

    def oldest(self, priority: Priority) -> Waiting[Row] | None:
        """Return the row of a priority that has waited longest."""
        return next(iter(self._rows[priority]), None)
