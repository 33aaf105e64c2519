"""Permits to run, and who gets the next one."""

import asyncio
import contextvars
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from services.inference.priority import Priority, Turns
from services.inference.schedule import Schedule


@dataclass(frozen=True, slots=True)
class Run:
    """A batch that runs; times are on the event loop's clock.

    Attributes:
        began: when it did.
        end: when it should be done, by the measured cost.

    """

    began: float
    end: float

    def left_s(self, now: float) -> float:
        """Return the seconds that it should still run.

        One that is overdue is expected to take as long again as it is late, but no longer
        than a whole run: otherwise, whenever costs rise, all runners would look free.
        """
        late_s = now - self.end
        return min(late_s, self.end - self.began) if late_s > 0 else -late_s


class Ahead(NamedTuple):
    """Rows of a contender that come before new ones.

    Attributes:
        rows: how many.
        alone: how many of them run by themselves, before the others.

    """

    rows: int
    alone: int


NOBODY = Ahead(0, 0)


class Contender(Protocol):
    """Whoever has rows that wait for a runner."""

    def count(self, priority: Priority, since: float = math.inf) -> int:
        """Return how many of its rows of a priority wait that are asked for since then."""

    def alone(self, priority: Priority) -> int:
        """Return how many of those run by themselves, before the others."""

    def oldest(self, priority: Priority) -> float | None:
        """Return since when its first row of a priority is asked for; None without one."""

    def ready_at(self) -> float:
        """Return the moment from which it would like to run; minus infinity for at once."""

    def deal(self, rows: int, schedule: Schedule, *, alone: int = 0) -> None:
        """Give its rows to a schedule, in the batches that they would make; the first alone."""

    def launch(self, turns: Turns) -> Run | None:
        """Begin to run a batch.

        Returns:
            What is expected of it; None when there was nothing to run after all.

        """


class Runners:
    """As many permits as batches that the hardware takes at the same time.

    Contenders that share the hardware share the runners: who has waited longest among them
    runs next, interactive rows before bulk.

    Attributes:
        count: batches that may run at the same time.
        free: permits that nobody has now.

    """

    def __init__(self, count: int) -> None:
        """Begin with all of them free.

        Args:
            count: batches that may run at the same time.

        """
        self.count = count
        self.free = count
        self._runs: dict[Contender, list[Run]] = {}
        self._turns = Turns()
        self._dispatch_due = False
        self._alarm: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    def join(self, contender: Contender) -> None:
        """Let a contender take part."""
        self._runs[contender] = []

    def leave(self, contender: Contender) -> None:
        """Forget a contender that has nothing more to run."""
        self._runs.pop(contender, None)

    @property
    def contenders(self) -> Iterable[Contender]:
        """Those who take part, in the order in which they joined."""
        return self._runs.keys()

    def wake(self) -> None:
        """Look, in this turn of the event loop, who can run; what comes until then shares."""
        if not self._dispatch_due:
            self._dispatch_due = True
            # A batch belongs to no single request: it begins in a context of its own.
            self._loop.call_soon(self._dispatch, context=contextvars.Context())

    def release(self, contender: Contender, run: Run) -> None:
        """Give a permit back; ``run`` is what ``launch`` returned for it."""
        self.free += 1
        self._runs.get(contender, [run]).remove(run)
        self.wake()

    def schedule(self, now: float) -> Schedule:
        """Return when each runner is free, by the measured cost of what it runs."""
        running = (run.left_s(now) for runs in self._runs.values() for run in runs)
        return Schedule([*[0.0] * self.free, *running])

    def ahead(self, priority: Priority, rows: int, since: float) -> dict[Contender, Ahead]:
        """Return which rows of each contender that has any come before new ones.

        Args:
            priority: of the new rows; those of the other come before as far as their turns go.
            rows: how many come.
            since: when they were asked for.

        """
        waiting = [each for each in self._runs if _waits(each)]
        if not waiting:  # most often, and asked several times a picture
            return {}
        interactive, bulk = (
            {one: one.count(each, since if each is priority else math.inf) for one in waiting}
            for each in Priority
        )
        totals = sum(interactive.values()), sum(bulk.values())
        first = self._turns.before(priority, *totals, rows)
        interactive, bulk = _shared_out(first[0], interactive), _shared_out(first[1], bulk)
        return {each: _ahead(each, interactive[each], bulk[each]) for each in waiting}

    def _dispatch(self) -> None:
        self._dispatch_due = False
        now = self._loop.time()
        while self.free and (chosen := self._choose(now)):
            run = chosen.launch(self._turns)
            if run is not None:
                self.free -= 1
                self._runs[chosen].append(run)
        self._set_alarm(now)

    def _choose(self, now: float) -> Contender | None:
        """Return the contender whose row is next; of one priority, the oldest row's."""
        ready = [each for each in self._runs if _waits(each) and each.ready_at() <= now]
        if not ready:
            return None
        has = {each: any(one.count(each) for one in ready) for each in Priority}
        if not has[Priority.BULK]:
            self._turns.forgive()
        turn = self._turns.next(interactive=has[Priority.INTERACTIVE], bulk=has[Priority.BULK])
        return min((each for each in ready if each.count(turn)), key=lambda one: _age(one, turn))

    def _set_alarm(self, now: float) -> None:
        """Look again when the first of those who hold back for a fuller batch is ready."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        later = [each.ready_at() for each in self._runs if _waits(each)]
        if self.free and later:
            self._alarm = self._loop.call_at(max(now, min(later)), self.wake)


def _waits(contender: Contender) -> bool:
    return contender.count(Priority.INTERACTIVE) > 0 or contender.count(Priority.BULK) > 0


def _ahead(contender: Contender, interactive: int, bulk: int) -> Ahead:
    alone = min(interactive, contender.alone(Priority.INTERACTIVE))
    return Ahead(interactive + bulk, alone + min(bulk, contender.alone(Priority.BULK)))


def _age(contender: Contender, priority: Priority) -> float:
    oldest = contender.oldest(priority)
    return float("inf") if oldest is None else oldest


def _shared_out(rows: int, lines: dict[Contender, int]) -> dict[Contender, int]:
    """Take the first rows of all lines together from each in proportion to its length."""
    total = sum(lines.values()) or 1
    return {each: math.ceil(waiting * rows / total) for each, waiting in lines.items()}
