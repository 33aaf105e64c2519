"""Room for work that needs much memory: so many places, and no more."""

import contextlib
from collections import Counter
from collections.abc import Iterator

from services.gateway import errors


class Places:
    """Places for requests that hold much memory, or wait for their turn to do so.

    Nobody holds more of them than are left free, so whoever comes next finds room: alone a user
    has half of them, beside one who has that half of the rest, and so on. Routers share their
    buffers by such a rule (Choudhury and Hahne, "Dynamic queue length thresholds for shared-memory
    packet switches", IEEE/ACM Transactions on Networking 6(2), 1998).
    """

    def __init__(self, count: int, refusal: str) -> None:
        """Build with a number of places.

        Args:
            count: how many there are.
            refusal: the sentence for whoever finds all of them taken.

        """
        self._free = count
        self._refusal = refusal
        self._held: Counter[str | None] = Counter()

    @contextlib.contextmanager
    def taken(self, who: str | None = None) -> Iterator[None]:
        """Take a place, or be refused at once.

        Args:
            who: names the one who has a share; None where nobody is known yet.

        Raises:
            ShareTakenError: they hold as many as are free.
            UnavailableError: all places are taken.

        """
        if self._free <= 0:
            raise errors.UnavailableError(self._refusal)
        if who is not None and self._held[who] >= self._free:
            raise errors.ShareTakenError(
                f"You have {self._held[who]} at work already. Let one end before you send another."
            )
        self._free -= 1
        self._held[who] += 1
        try:
            yield
        finally:
            self._free += 1
            self._held[who] -= 1
            if not self._held[who]:
                del self._held[who]
