"""How long to wait before another try."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that double from the first to the longest, in seconds."""

    first_s: float
    longest_s: float

    def after(self, failures: int) -> float:
        """Return the wait after so many failures in a row, of which there is at least one."""
        # More doublings than that would be no number any more.
        return min(self.longest_s, self.first_s * 2.0 ** min(failures - 1, 64))
