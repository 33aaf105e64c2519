"""Who is told what a batcher does."""

from typing import Any, Protocol

from services.inference.batch import Batch
from services.inference.line import Waiting


class Observer(Protocol):
    """Counts and times; must not fail."""

    def caller(self) -> Any:
        """Say, in the task of whoever asks now, who it is; the row that is asked for keeps it."""

    def ran(self, batch: Batch[Any, Any], shape: int, seconds: float, *, well: bool) -> None:
        """Note a batch that ran.

        Args:
            batch: its rows, and when it began.
            shape: how many rows were run, copies included.
            seconds: how long.
            well: whether its rows were answered.

        """

    def expired(self, waiting: Waiting[Any]) -> None:
        """Note a row whose deadline passed before it ran."""

    def cancelled(self, waiting: Waiting[Any]) -> None:
        """Note a row whose caller left before it ran."""
