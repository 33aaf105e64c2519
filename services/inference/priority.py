"""How urgent a request is, and how two priorities take turns."""

import math
from dataclasses import dataclass, replace
from enum import StrEnum

BULK_SHARE = 8
"""While both wait, one row in this many is bulk's."""


class Priority(StrEnum):
    """How soon an answer is needed.

    ``INTERACTIVE``: somebody waits for it. ``BULK``: one of many, when there is room.
    """

    INTERACTIVE = "interactive"
    BULK = "bulk"


@dataclass(slots=True, eq=False)
class Request:
    """What rows belong to that only serve together.

    Attributes:
        is_lost: one of its rows will have no answer, so none of the others is worth running.

    """

    is_lost: bool = False


@dataclass(frozen=True, slots=True)
class Urgency:
    """Until when, and how soon, an answer is needed.

    Attributes:
        deadline: when it is of no more use, on the event loop's clock; infinity for never.
        priority: whether somebody waits for it.
        since: when the request came, on the same clock: of one priority, who came first is
            served first, also between stages; None for just now.
        then_s: seconds of work that must follow before the deadline, once this is done.
        request: what else must be answered, or this is of no use; None for nothing.

    """

    deadline: float = math.inf
    priority: Priority = Priority.INTERACTIVE
    since: float | None = None
    then_s: float = 0.0
    request: Request | None = None

    def before(self, seconds: float) -> "Urgency":
        """Return the same for a step that so much work must follow."""
        return replace(self, then_s=seconds)


WHENEVER = Urgency()
"""Somebody waits, as long as it takes."""


class Turns:
    """Whose turn it is where both wait for the same runners: interactive, and now and then bulk.

    A share rather than an age: what bulk may take from interactive rows is then the same at
    any load, and a flood of bulk that has waited long cannot displace them.
    """

    def __init__(self) -> None:
        """Begin with no debt to anybody."""
        self._owed = 0

    @property
    def bulk_is_due(self) -> bool:
        """Whether bulk has let so many pass that the next row is its own."""
        return self._owed >= BULK_SHARE - 1

    def next(self, *, interactive: bool, bulk: bool) -> Priority:
        """Return whose row is next, of those that wait; at least one must."""
        if bulk and (self.bulk_is_due or not interactive):
            return Priority.BULK
        return Priority.INTERACTIVE

    def before(
        self, priority: Priority, interactive: int, bulk: int, rows: int = 1
    ) -> tuple[int, int]:
        """Return how many of those that wait have their turn before the last of new rows.

        Args:
            priority: of the new rows.
            interactive: rows that wait.
            bulk: rows that wait.
            rows: how many come.

        Returns:
            How many of the interactive, and how many of the bulk rows.

        """
        owed = min(self._owed, BULK_SHARE - 1)
        if priority is Priority.INTERACTIVE:
            return interactive, min(bulk, (owed + interactive + rows - 1) // (BULK_SHARE - 1))
        return min(interactive, (bulk + rows) * (BULK_SHARE - 1) - owed), bulk

    def took(self, priority: Priority) -> None:
        """Note that a row was taken."""
        self._owed = 0 if priority is Priority.BULK else self._owed + 1

    def forgive(self) -> None:
        """Note that no bulk row waits: it was let pass by nobody."""
        self._owed = 0
