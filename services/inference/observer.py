"""Who is told what a batcher does."""

from typing import Protocol


class Observer(Protocol):
    """Counts and times; must not fail."""

    def waited(self, seconds: float) -> None:
        """Note how long a row that was answered had waited for a runner."""

    def ran(self, rows: int, padding: int, seconds: float) -> None:
        """Note a batch that ran, well or not, and how many copies had filled it up."""

    def expired(self) -> None:
        """Note a row whose deadline passed before it ran."""

    def cancelled(self) -> None:
        """Note a row whose caller left before it ran."""
