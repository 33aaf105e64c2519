"""How much the service takes on: what it cannot hold, or not do in time, is refused at once.

Every picture in work costs memory, whether it waits to be decoded, for a model or to be
drawn. So they are counted where they come in, before anything is done with them.
"""

import asyncio
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from services.inference.forecast import Forecast
from services.inference.hindsight import Hindsight
from services.inference.priority import BULK_SHARE, WHENEVER, Priority, Urgency
from services.inference.refusal import (
    CLOCK_SLACK_S,
    DeadlinePassedError,
    DrainingError,
    RefusedError,
    TooLateError,
)

_KEPT_FREE = 4
"""One place in this many is not for bulk, so that whoever waits for an answer finds one."""

_BULK_COMES_BACK_S = 60.0
"""So long after bulk has come its own places are kept for it: whoever was refused comes back."""

_NOTHING = Forecast(wait_s=0.0, own_s=0.0)

Outlook = Callable[[], Forecast]
"""Says what to expect of a request that comes now; asked only where it matters."""


class QueueFullError(RefusedError):
    """So many pictures are in work that another one is refused."""

    reason = "queue_full"

    def __init__(self, retry_after_s: float) -> None:
        super().__init__("the service is busy: try again a little later", retry_after_s)


class Admission:
    """Counts the pictures in work."""

    def __init__(
        self, places: int, note_refusal: Callable[[str], object] = lambda _reason: None
    ) -> None:
        """Begin with nothing in work.

        Args:
            places: most pictures in work at the same time, running or waiting.
            note_refusal: is told the reason whenever a request is refused, here or later.

        """
        self._note_refusal = note_refusal
        self._places = places
        self._free_of_bulk = places // _KEPT_FREE
        # The share that it has of the runners: without a place it would never have its turn.
        self._for_bulk = min(max(1, places // BULK_SHARE), places - 1)
        self._bulk_came_at = -math.inf
        self._bulk = 0
        self._in_work = 0
        self._hindsight = Hindsight()

    @property
    def places(self) -> int:
        """Most pictures in work at the same time."""
        return self._places

    @property
    def largest(self) -> int:
        """Most pictures of one request that are taken on when idle, whatever its priority."""
        # Either priority may have places that the other cannot take.
        return max(1, self._places - max(self._free_of_bulk, self._for_bulk))

    @property
    def in_work(self) -> int:
        """Pictures that are in work now."""
        return self._in_work

    @contextmanager
    def place(
        self, outlook: Outlook, urgency: Urgency = WHENEVER, pictures: int = 1
    ) -> Iterator[Forecast]:
        """Take the places of one request for as long as the block lasts.

        Yields what to expect of it; nothing, unasked, where it has no deadline.

        Args:
            outlook: what to expect of it.
            urgency: until when, and how soon, its answer is needed.
            pictures: how many it has.

        Raises:
            QueueFullError: not so many places are free.
            TooLateError: by the measured cost, the answer would come after the deadline.

        """
        try:
            foretold = self._refuse(outlook, urgency, pictures)
            bulk = pictures if urgency.priority is Priority.BULK else 0
            self._in_work += pictures
            self._bulk += bulk
            try:
                with self._looked_back(foretold, urgency):
                    yield foretold or _NOTHING
            finally:
                self._in_work -= pictures
                self._bulk -= bulk
        except (RefusedError, DrainingError) as refusal:
            self._note_refusal(refusal.reason)
            raise

    def _refuse(self, outlook: Outlook, urgency: Urgency, pictures: int) -> Forecast | None:
        """Refuse what has no place, or no time; return what to expect, where it was asked."""
        if urgency.priority is Priority.BULK and pictures <= self._for_bulk:
            # Places are kept for whom they are enough, or they would stay empty.
            self._bulk_came_at = asyncio.get_running_loop().time()
        if not self._is_room(urgency.priority, pictures):
            # What is in work drains in the time that whoever comes now would wait.
            raise QueueFullError(outlook().wait_s)
        if urgency.deadline == math.inf:
            return None
        now = asyncio.get_running_loop().time()
        foretold = outlook()
        expected = self._hindsight.corrected(foretold, now)
        # Only here: later it would throw away work that may well be done in time.
        expected.refuse_late(now, urgency.deadline - expected.margin_s)
        return foretold

    def _is_room(self, priority: Priority, pictures: int) -> bool:
        """Say whether there is a place for each: of all, some are only for one priority."""
        left = self._places - self._in_work - pictures
        if priority is Priority.BULK:
            within_share = self._bulk + pictures <= self._for_bulk
            return left >= (0 if within_share else self._free_of_bulk)
        if left >= self._for_bulk:  # most often, and asked for every picture
            return True
        return left >= max(0, self._for_bulk - self._bulk) or (left >= 0 and not self._bulk_comes())

    def _bulk_comes(self) -> bool:
        now = asyncio.get_running_loop().time()
        return now < self._bulk_came_at + _BULK_COMES_BACK_S

    @contextmanager
    def _looked_back(self, foretold: Forecast | None, urgency: Urgency) -> Iterator[None]:
        """Learn from how a request turns out; not from bulk, which others may overtake."""
        if foretold is None or urgency.priority is Priority.BULK:
            yield
            return
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            yield
        except TooLateError:
            # It has waited until now, and was not begun.
            waited_s = loop.time() - began
            self._hindsight.learn(foretold, waited_s + foretold.own_s, loop.time())
            raise
        except DeadlinePassedError:
            self._hindsight.learn(foretold, urgency.deadline - began, loop.time())
            raise
        except asyncio.CancelledError:
            # Most callers leave at their deadline, a moment before it is noticed here.
            if loop.time() >= urgency.deadline - CLOCK_SLACK_S:
                self._hindsight.learn(foretold, urgency.deadline - began, loop.time())
            raise
        self._hindsight.learn(foretold, loop.time() - began, loop.time())
