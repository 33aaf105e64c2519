"""Random scenes around two batchers on the same runners, and the rules that hold in all of them.

The hardware is part of the scene: it looks at every row that comes to it, and knows whether
that row may come.
"""

import asyncio
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import cast

from services.inference.admission import Admission
from services.inference.batch import Answer
from services.inference.batcher import Batcher
from services.inference.priority import BULK_SHARE, Priority, Urgency
from services.inference.runners import Runners
from tests.inference.hardware import Tally
from tests.inference.script import Ask, Close, House, Leave, Run, Stall, Step
from tests.virtual_time import VirtualLoop

LARGEST = 4
ANSWERED = 1_000_000
"""What the hardware adds to a row; so the answer of one batcher is a row of its own for another."""

_TURNS = 100
"""Of the event loop; a row needs a few from its caller to a runner."""


@dataclass(eq=False)
class Request:
    """What the scene knows of one request."""

    ask: Ask
    rows: list[int]
    deadline: float
    asked_at: float
    task: "asyncio.Task[list[int]] | None" = None
    left: bool = False
    at: int | None = None
    """The batcher in whose line it has rows, or on whose runners."""
    came_at: float = math.inf
    """When its rows came to that batcher."""
    begun: Counter[int] = field(default_factory=Counter)
    unlucky: bool = False
    """A run of one of its rows fails for good."""
    lost: bool = False
    """It has done so: what else it has is worth nothing."""
    turned_away: bool = False
    """At a door: it never came into the line that it came to last."""
    ended_at: float = math.inf

    @property
    def is_over(self) -> bool:
        return self.task is not None and self.task.done()

    def waits_at(self, batcher: int, now: float) -> bool:
        """Say whether all of its rows have waited there, for longer than this moment.

        Whose time is up waits for no runner, also before it is told so.
        """
        untouched = not (self.left or any(row in self.begun for row in self.rows))
        return self.at == batcher and self.came_at < now < self.deadline and untouched


class Scene:
    """Two batchers, and all who ask them."""

    def __init__(self, house: House, runs: Sequence[Run]) -> None:
        self.house = house
        self.runners = Runners(house.runners)
        self.tallies = [Tally(), Tally()]
        self.batchers = [
            Batcher(
                partial(self.run, number),
                self.runners,
                tally,
                max_batch_size=LARGEST,
                padded=house.padded,
                max_queue_delay_s=house.delay_s,
            )
            for number, tally in enumerate(self.tallies)
        ]
        if house.known_s is not None:  # as after a while of batches that cost the same at any size
            for rows in (1, 2, 4) * 5:
                for batcher in self.batchers:
                    batcher.sizing.cost.learn(rows, house.known_s, 0)
        self.admission = Admission(house.places)
        self.runs = list(runs)
        self.requests: list[Request] = []
        self.of_row: dict[int, Request] = {}
        self.entered = [0, 0]
        self.ran_rows = [0, 0]
        self.closing: dict[int, asyncio.Task[None]] = {}
        self.at_work = 0
        self.stalled_s = 0.0
        self.failed_together: set[int] = set()
        self.passed_by = Counter[Priority]()
        self.broken: list[AssertionError] = []

    async def play(self, steps: Sequence[Step]) -> None:
        for step in steps:
            if isinstance(step, Ask):
                self.ask(step)
            elif isinstance(step, Leave):
                self.leave(step.who)
            elif isinstance(step, Close):
                self.close(step.batcher)
            elif isinstance(step, Stall):
                self.stall(step.seconds)
            else:
                await self.let_pass(step.seconds)
        tasks = [request.task for request in self.requests if request.task]
        await asyncio.gather(*tasks, return_exceptions=True)
        for number in (0, 1):
            self.close(number)
        await asyncio.gather(*self.closing.values())
        await asyncio.sleep(0)

    def ask(self, ask: Ask) -> None:
        now = asyncio.get_running_loop().time()
        rows = [len(self.of_row) + offset for offset in range(ask.rows)]
        request = Request(ask, rows, now + ask.time_s, now)
        self.of_row.update(dict.fromkeys(rows, request))
        self.requests.append(request)
        request.task = asyncio.create_task(self.submit(request))

    def leave(self, who: int) -> None:
        if self.requests:
            request = self.requests[who % len(self.requests)]
            if request.task and not request.task.done():
                request.left = True
                request.task.cancel()

    def close(self, number: int) -> None:
        if number not in self.closing:
            self.closing[number] = asyncio.create_task(self.batchers[number].close())

    def stall(self, seconds: float) -> None:
        self.stalled_s += seconds
        loop = cast("VirtualLoop", asyncio.get_running_loop())
        loop.call_soon(loop.jump, seconds)

    async def let_pass(self, seconds: float) -> None:
        if seconds and not self.house.delay_s:
            turns = 0
            while self.runners.free and any(batcher.queue_size for batcher in self.batchers):
                await asyncio.sleep(0)
                turns += 1
                if turns == _TURNS:
                    self.note("a row waits beside a free runner", right=False)
                    break
        await asyncio.sleep(seconds)
        if seconds:
            self.watch_line()

    def watch_line(self) -> None:
        """See that nobody waits in a line who has left, or was answered."""
        staying = (each for each in self.requests if not each.is_over)
        rows = [(row, each.begun[row]) for each in staying for row in each.rows]
        may_wait = sum(not begun or row in self.failed_together for row, begun in rows)
        in_line = sum(batcher.queue_size for batcher in self.batchers)
        self.note("a row waits in a line for nobody", right=in_line <= may_wait)

    async def submit(self, request: Request) -> list[int]:
        first = self.batchers[request.ask.way[0]]
        urgency = Urgency(request.deadline, request.ask.priority, request.asked_at)
        rows = request.rows
        try:
            with self.admission.place(
                lambda: first.forecast(urgency.priority, len(rows)), urgency, len(rows)
            ):
                assert self.admission.in_work <= self.house.places
                assert sum(each.queue_size for each in self.batchers) <= self.house.places
                for number in request.ask.way:
                    answers = await self.submit_to(number, request, urgency)
                    rows = [answer.output for answer in answers]
                return rows
        finally:
            request.ended_at = asyncio.get_running_loop().time()

    async def submit_to(self, number: int, request: Request, urgency: Urgency) -> list[Answer[int]]:
        rows = [row + ANSWERED * request.ask.way.index(number) for row in request.rows]
        self.of_row.update(dict.fromkeys(rows, request))
        request.rows, request.at, request.turned_away = rows, number, True
        request.came_at = asyncio.get_running_loop().time()

        def come_in() -> None:  # whoever is refused at the door is gone in this turn
            if request.at == number:
                request.turned_away = False
                self.entered[number] += len(rows)

        inside = asyncio.get_running_loop().call_soon(come_in)
        try:
            return await self.batchers[number].submit_all(rows, urgency)
        finally:
            request.at = None
            if request.turned_away:
                inside.cancel()

    async def run(self, number: int, rows: Sequence[int]) -> list[int | None]:
        """Be the hardware, and look whether who comes may come."""
        self.at_work += 1
        self.ran_rows[number] += len(rows)
        self.note("more runs than runners", right=self.at_work <= self.runners.count)
        self.note("a batch is too large", right=len(rows) <= LARGEST)
        own, doomed = set(rows), set[int]()  # padding repeats the first
        for row in dict.fromkeys(rows):
            self.begin(number, row, alone=len(own) == 1)
        run = self.runs.pop(0) if self.runs else Run(1.0)
        if run.error or run.rows_lost:
            doomed |= self.fail(own, tried_again=run.error is RuntimeError and len(own) > 1)
        mute = {rows[place] for place in run.mute if place < len(own)}
        if mute:
            doomed |= self.fail(mute, tried_again=mute < own)
        try:
            await asyncio.sleep(run.seconds)
        finally:
            self.at_work -= 1
        for row in doomed:
            self.of_row[row].lost = True
        if run.error:
            raise run.error
        outputs = [None if row in mute else row + ANSWERED for row in rows]
        return outputs[: len(rows) - run.rows_lost] + [0] * -run.rows_lost

    def fail(self, rows: set[int], *, tried_again: bool) -> set[int]:
        """Note rows without an answer, maybe by the fault of one; return those it is final for."""
        if tried_again:
            self.failed_together |= rows
            return set()
        for row in rows:
            self.of_row[row].unlucky = True
        return rows

    def begin(self, number: int, row: int, *, alone: bool) -> None:
        request = self.of_row[row]
        self.watch_share(number, request)
        request.begun[row] += 1
        again = row in self.failed_together
        self.note("a row ran twice", right=request.begun[row] <= 1 + again)
        self.note("a row ran with others again", right=alone or request.begun[row] == 1)
        self.note("a row ran for another batcher, or for nobody", right=request.at == number)
        self.note("a row ran whose caller had left", right=not request.left)
        self.note("a row ran whose request had failed", right=not request.lost)
        now = asyncio.get_running_loop().time()
        self.note("a row ran whose time was up", right=now < request.deadline)

    def watch_share(self, number: int, request: Request) -> None:
        """See that neither priority is passed by the other more often than is right."""
        if self.house.delay_s:
            return  # who holds back for a fuller batch lets others pass
        mine = request.ask.priority
        other = Priority.BULK if mine is Priority.INTERACTIVE else Priority.INTERACTIVE
        now = asyncio.get_running_loop().time()
        theirs = (each for each in self.requests if each.ask.priority is other)
        waits = any(each.waits_at(number, now) for each in theirs)
        self.passed_by[other] = self.passed_by[other] + 1 if waits else 0
        self.passed_by[mine] = 0
        most = {Priority.BULK: BULK_SHARE - 1 + LARGEST, Priority.INTERACTIVE: 1}
        self.note(f"{other} starves", right=self.passed_by[other] <= most[other])

    def note(self, wrong: str, *, right: bool) -> None:
        """Remember what is wrong: raised here, a batcher would take it for a failed run."""
        if not right:
            self.broken.append(AssertionError(wrong))
