"""How long a gateway is waited for that is away, or has too much to do."""

import time

from dermserve_client.errors import ClientError, ProblemError, passes

_FIRST_S = 0.5
_LONGEST_S = 8.0


class Patience:
    """Waits before each next try: as long as the gateway asks for, and longer each time."""

    def __init__(self, most_s: float) -> None:
        """Begin.

        Args:
            most_s: how long all tries that fail one after the other may take.

        """
        self._most_s = most_s
        self.restore()

    def restore(self) -> None:
        """Begin anew: a try was successful."""
        self._since_s: float | None = None
        self._pause_s = _FIRST_S

    def wait(self, error: ClientError) -> None:
        """Wait after a try that has failed.

        Raises:
            ClientError: the same, if no other try would do better, or none in time.

        """
        moment_s = time.monotonic()
        if self._since_s is None:
            self._since_s = moment_s
        asked_s = error.retry_after_s if isinstance(error, ProblemError) else None
        wait_s = max(self._pause_s, asked_s or 0)
        if not passes(error) or moment_s + wait_s - self._since_s > self._most_s:
            raise error
        self._pause_s = min(2 * self._pause_s, _LONGEST_S)
        time.sleep(wait_s)
