"""Who is told what a batcher does."""

from typing import Any, Protocol

from services.inference.batch import Batch


class Observer(Protocol):
    """Counts and times; must not fail."""

    def ran(self, batch: Batch[Any, Any], shape: int, seconds: float, *, well: bool) -> None:
        """Note a batch that ran.

        Args:
            batch: its rows, and when it began.
            shape: how many rows were run, copies included.
            seconds: how long.
            well: whether its rows were answered.

        """

    def expired(self) -> None:
        """Note a row whose deadline passed before it ran."""

    def cancelled(self) -> None:
        """Note a row whose caller left before it ran."""
