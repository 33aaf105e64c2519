"""Forms batches while the runners are busy, as large as their measured cost makes worthwhile.

A row leaves at once when a runner is free; what arrives while all are busy forms the next
batches. What a batch costs is learned from those that ran: where a larger one is no cheaper a
row, rows run side by side, one a runner; where it is, they fill batches. The batcher knows
neither gRPC nor ONNX; how many may come in at all is decided by admission.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Generic, TypeVar

from services.inference.batch import Answer, Batch
from services.inference.execution import Execution
from services.inference.forecast import Forecast
from services.inference.foresight import Foresight
from services.inference.leavers import Leavers
from services.inference.line import Line, Waiting
from services.inference.observer import Observer
from services.inference.priority import WHENEVER, Priority, Request, Turns, Urgency
from services.inference.refusal import DeadlinePassedError, DrainingError
from services.inference.runners import Contender, Run, Runners
from services.inference.schedule import Schedule
from services.inference.selection import Selection
from services.inference.sizing import Sizing

Row = TypeVar("Row")
Output = TypeVar("Output")

_NOBODY: Mapping[Contender, int] = MappingProxyType({})


class Batcher(Generic[Row, Output]):
    """Gathers rows into batches and hands every answer to the caller who asked for it."""

    def __init__(
        self,
        run: Callable[[Sequence[Row]], Awaitable[Sequence[Output | None]]],
        runners: Runners,
        observer: Observer,
        *,
        max_batch_size: int,
        padded: bool = False,
        max_queue_delay_s: float = 0,
    ) -> None:
        """Build a batcher.

        Args:
            run: turns a batch of rows into as many outputs, in order; None for a row that it has
                none for. Who has none, or was in a batch that failed, waits once more, for a
                run of its own.
            runners: the permits to run; batchers that share the hardware share them.
            observer: is told what happens.
            max_batch_size: most rows in a batch.
            padded: fill batches up to a few sizes with copies of their first row.
            max_queue_delay_s: hold rows back so long for a fuller batch. Rarely of use:
                without it, batches fill while the runners are busy.

        """
        # Asked for the time at every step of a row; to find it anew each time is a system call.
        self._loop = asyncio.get_running_loop()
        self.sizing = Sizing(runners.count, max_batch_size, padded=padded)
        self.runners = runners
        self.observer = observer
        self.max_queue_delay_s = max_queue_delay_s
        self._line: Line[Row] = Line()
        self._execution = Execution(run, self.sizing, observer)
        self._leavers = Leavers(observer)
        self._foresight = Foresight(self, runners, self.sizing)
        self._selection = Selection(self._line, self.sizing, self._abandon)
        self._running: set[asyncio.Task[None]] = set()
        self._closed = False
        self._idle = asyncio.Event()
        self._idle.set()
        runners.join(self)

    async def submit(
        self, row: Row, urgency: Urgency = WHENEVER, *, foreseen: bool = False
    ) -> Answer[Output]:
        """Wait for a row's turn and return its answer.

        A caller who is cancelled while waiting is never run; one who is cancelled while its
        batch runs takes nothing from its batch-mates.

        Args:
            row: what to run.
            urgency: until when, and how soon, the answer is needed.
            foreseen: whoever asks has looked at this moment whether it can be had in time.

        Raises:
            DrainingError: the batcher is closing.
            TooLateError: by the measured cost, the answer would come after the deadline.
            DeadlinePassedError: it did, or the deadline had passed before.
            BatchError: the run failed.

        """
        (answer,) = await self.submit_all([row], urgency, foreseen=foreseen)
        return answer

    async def submit_all(
        self, rows: Sequence[Row], urgency: Urgency = WHENEVER, *, foreseen: bool = False
    ) -> list[Answer[Output]]:
        """Do as ``submit`` for the rows of one request: all are answered, or none.

        They may run in several batches, with rows of others. The first error ends the rest.
        """
        if self._closed:
            raise DrainingError
        if not rows:
            return []
        now = self._now()
        request = urgency.request or Request()
        entered = [self._waiting(row, urgency, request, now) for row in rows]
        if urgency.deadline <= now:
            for waiting in entered:
                self._leavers.count(waiting)
            raise DeadlinePassedError
        if urgency.deadline < math.inf and not foreseen:
            outlook = self.forecast(urgency.priority, len(rows), since=urgency.since)
            outlook.refuse_late(now, urgency.deadline - urgency.then_s)
        for waiting in entered:
            self._enter(waiting)
        alarm = self._expire_at(urgency.deadline, entered)
        try:
            if len(entered) == 1:
                return [await entered[0].future]
            return list(await asyncio.gather(*(waiting.future for waiting in entered)))
        finally:
            if alarm is not None:
                alarm.cancel()
            for waiting in entered:
                waiting.future.cancel()
                self._abandon(waiting)
            # An error keeps this frame, and would be kept by it: rows would stay in memory.
            entered.clear()
            del waiting

    def forecast(
        self,
        priority: Priority,
        rows: int = 1,
        *,
        since: float | None = None,
        coming: Mapping[Contender, int] = _NOBODY,
    ) -> Forecast:
        """Return what rows that came now would wait and run, by the measured cost.

        They run in a batch with others that wait. Where nobody has measured lately and nobody
        runs or waits, they are let through to measure: no outdated figure can refuse for ever.

        Args:
            priority: how soon they are needed.
            rows: how many.
            since: when their request came; None for just now.
            coming: rows of each batcher on the same runners that are on their way elsewhere,
                and will be there before.

        """
        now = self._now()
        return self._foresight.of(
            priority,
            rows,
            since=math.inf if since is None else since,
            coming=coming,
            now=now,
            in_doubt=self._in_doubt(now),
        )

    async def close(self) -> None:
        """Take no more rows, run those that wait, and return when the last one is answered."""
        self._closed = True
        self.runners.wake()
        await self._idle.wait()
        self.runners.leave(self)

    @property
    def own_s(self) -> float:
        """Seconds that a lone row runs, by the measured cost; zero while that is in doubt."""
        return 0.0 if self._in_doubt(self._now()) else self.sizing.seconds(1)

    @property
    def queue_size(self) -> int:
        """Rows that wait for a runner now."""
        return len(self._line)

    # What runners ask their contenders.

    def count(self, priority: Priority, since: float = math.inf) -> int:
        """Return how many rows of a priority wait that are asked for since then, or longer."""
        return self._line.count(priority, since)

    def alone(self, priority: Priority) -> int:
        """Return how many of those wait for a run of their own."""
        return self._line.alone(priority)

    def oldest(self, priority: Priority) -> float | None:
        """Return since when the first row of a priority is asked for; None without one."""
        waiting = self._line.oldest(priority)
        return None if waiting is None else waiting.since

    def ready_at(self) -> float:
        """Return from when the rows that wait may run: at once, unless a delay was set."""
        if not self.max_queue_delay_s or len(self._line) >= self.sizing.largest or self._closed:
            return -math.inf
        return min(map(self._patience, self._line.heads()))

    def deal(self, rows: int, schedule: Schedule, *, alone: int = 0) -> None:
        """Give so many rows to a schedule, in the batches that they would make.

        As in a forecast, an outdated figure counts for nothing where nobody runs or waits.
        """
        if self._line or not self._in_doubt(self._now()):
            self.sizing.deal(rows, schedule, alone=alone)

    def launch(self, turns: Turns) -> Run | None:
        """Begin to run the next batch; return what is expected of it, None if none is left."""
        now = self._now()
        rows = self._selection.take(turns, now, in_doubt=self._in_doubt(now))
        if not rows:
            self._note_idle()
            return None
        run = Run(now, now + self.sizing.seconds(len(rows)))
        task = self._loop.create_task(self._answer(Batch(rows, now), run))
        self._running.add(task)
        task.add_done_callback(self._done)
        return run

    # The way of a row.

    def _waiting(self, row: Row, urgency: Urgency, request: Request, now: float) -> Waiting[Row]:
        return Waiting(
            row,
            deadline=urgency.deadline,
            then_s=urgency.then_s,
            priority=urgency.priority,
            since=now if urgency.since is None else urgency.since,
            arrived=now,
            request=request,
            future=self._loop.create_future(),
            caller=self.observer.caller(),
        )

    def _enter(self, waiting: Waiting[Row]) -> None:
        self._line.add(waiting)
        self._idle.clear()
        self.runners.wake()

    def _expire_at(
        self, deadline: float, entered: Sequence[Waiting[Row]]
    ) -> asyncio.TimerHandle | None:
        if deadline == math.inf:
            return None

        def expire() -> None:
            for waiting in entered:
                waiting.fail(DeadlinePassedError())
                self._abandon(waiting)

        return self._loop.call_at(deadline, expire)

    def _abandon(self, waiting: Waiting[Row]) -> None:
        """Forget a row whose caller waits no more; nothing to do once it was taken."""
        if self._line.remove(waiting):
            self._leavers.count(waiting)
            self._note_idle()

    async def _answer(self, batch: Batch[Row, Output], run: Run) -> None:
        try:
            live = [waiting for waiting in batch.rows if not self._leavers.is_one(waiting)]
            if live:
                # Back in line they wait for their turn as all do: for a permit, in time or not.
                for waiting in reversed(await self._execution.answer(Batch(live, batch.began))):
                    self._enter(waiting)
        finally:
            self.runners.release(self, run)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._note_idle()

    def _note_idle(self) -> None:
        if not self._running and not self._line:
            self._idle.set()

    def _in_doubt(self, now: float) -> bool:
        return not self._running and self.sizing.cost.is_stale(now)

    def _patience(self, waiting: Waiting[Row]) -> float:
        """Return how long a row is held back for others: never so long that it is late."""
        if waiting.alone:
            return -math.inf
        latest = waiting.latest - 2 * self.sizing.seconds(self.sizing.largest)
        return min(waiting.arrived + self.max_queue_delay_s, latest)

    def _now(self) -> float:
        return self._loop.time()
