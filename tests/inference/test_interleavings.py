"""Thousands of random scenes in virtual time: whatever happens, nobody is forgotten or mixed up."""

import asyncio
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from services.inference.admission import Admission, QueueFullError
from services.inference.batch import Answer, BatchError
from services.inference.batcher import Batcher
from services.inference.priority import BULK_SHARE, Priority, Urgency
from services.inference.refusal import DeadlinePassedError, TooLateError
from services.inference.runners import Runners
from tests.inference.hardware import Tally
from tests.virtual_time import play

LARGEST = 4
ROUNDING_S = 1e-6


@dataclass(frozen=True)
class Ask:
    """A request comes in."""

    batcher: int
    rows: int
    time_s: float
    priority: Priority


@dataclass(frozen=True)
class Leave:
    """A caller leaves, whether it was answered or not."""

    who: int


@dataclass(frozen=True)
class Pass:
    """Time passes; zero is one turn of the event loop."""

    seconds: float


@dataclass(frozen=True)
class Run:
    """What becomes of a batch."""

    seconds: float
    rows_lost: int = 0
    error: type[BaseException] | None = None


ASKS = st.builds(
    Ask,
    st.integers(0, 1),
    st.sampled_from([1, 1, 1, 3, 9]),
    st.sampled_from([math.inf, math.inf, 1e9, 40.0, 6.0, 2.0, 0.5, 1e-9, 0.0, -3.0]),
    st.sampled_from(Priority),
)
STEPS = st.lists(
    st.one_of(
        ASKS,
        ASKS,
        st.builds(Leave, st.integers(0, 50)),
        st.builds(Pass, st.sampled_from([0.0, 0.0, 0.01, 0.5, 1.0, 3.0])),
    ),
    max_size=40,
)
RUNS = st.lists(
    st.one_of(
        st.builds(Run, st.sampled_from([0.0, 0.5, 1.0, 1.0, 2.0, 9.0])),
        st.builds(Run, st.just(1.0), rows_lost=st.sampled_from([-1, 1, 2])),
        st.builds(
            Run,
            st.sampled_from([0.0, 1.0]),
            error=st.sampled_from([RuntimeError, asyncio.CancelledError]),
        ),
    ),
    max_size=12,
)


@dataclass(eq=False)
class Request:
    """What the test knows of one request."""

    ask: Ask
    rows: list[int]
    deadline: float
    asked_at: float
    task: "asyncio.Task[list[Answer[int]]] | None" = None
    left: bool = False
    begun: Counter[int] = field(default_factory=Counter)
    ended_at: float = math.inf

    @property
    def waits(self) -> bool:
        return not (self.left or self.begun or self.ended_at < math.inf)


class Scene:
    """Two batchers on the same runners, and all who ask them."""

    def __init__(
        self, runners: int, places: int, runs: Sequence[Run], known_s: float | None, *, padded: bool
    ) -> None:
        self.runners = Runners(runners)
        self.tallies = [Tally(), Tally()]
        self.batchers = [
            Batcher(self.run, self.runners, tally, max_batch_size=LARGEST, padded=padded)
            for tally in self.tallies
        ]
        if known_s is not None:  # as after a while of batches that cost the same at any size
            for rows in (1, 2, 4) * 5:
                for batcher in self.batchers:
                    batcher.sizing.cost.learn(rows, known_s, 0)
        self.admission = Admission(places)
        self.places = places
        self.runs = list(runs)
        self.requests: list[Request] = []
        self.of_row: dict[int, Request] = {}
        self.at_work = 0
        self.passed_bulk = 0
        self.broken: list[AssertionError] = []

    async def play(self, steps: Sequence[Ask | Leave | Pass]) -> None:
        for step in steps:
            if isinstance(step, Ask):
                self.ask(step)
            elif isinstance(step, Leave):
                self.leave(step.who)
            else:
                await asyncio.sleep(step.seconds)
        tasks = [request.task for request in self.requests if request.task]
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(batcher.close() for batcher in self.batchers))
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

    async def submit(self, request: Request) -> list[Answer[int]]:
        batcher = self.batchers[request.ask.batcher]
        urgency = Urgency(request.deadline, request.ask.priority)
        try:
            with self.admission.place(
                lambda: batcher.forecast(urgency.priority), urgency, len(request.rows)
            ):
                assert self.admission.in_work <= self.places
                assert sum(each.queue_size for each in self.batchers) <= self.places
                return await batcher.submit_all(request.rows, urgency)
        finally:
            request.ended_at = asyncio.get_running_loop().time()

    async def run(self, rows: Sequence[int]) -> list[int]:
        """Be the hardware, and look whether who comes may come."""
        now = asyncio.get_running_loop().time()
        self.at_work += 1
        try:
            assert self.at_work <= self.runners.count
            assert len(rows) <= LARGEST
            for row in dict.fromkeys(rows):  # padding repeats the first
                self.begin(row, now)
        except AssertionError as error:
            self.broken.append(error)  # a batcher takes any error for a failed run
        run = self.runs.pop(0) if self.runs else Run(1.0)
        try:
            await asyncio.sleep(run.seconds)
        finally:
            self.at_work -= 1
        if run.error:
            raise run.error
        outputs = [row * 10 for row in rows]
        return outputs[: len(rows) - run.rows_lost] + [0] * -run.rows_lost

    def begin(self, row: int, now: float) -> None:
        request = self.of_row[row]
        request.begun[row] += 1
        assert request.begun[row] == 1, "a row ran twice"
        assert not request.left, "a row ran whose caller had left"
        assert now < request.deadline, "a row ran whose time was up"
        self.watch_share(request, now)

    def watch_share(self, request: Request, now: float) -> None:
        bulk_waits = any(
            other.waits and other.asked_at < now
            for other in self.requests
            if other.ask.priority is Priority.BULK and other is not request
        )
        interactive = request.ask.priority is Priority.INTERACTIVE
        self.passed_bulk = self.passed_bulk + 1 if interactive and bulk_waits else 0
        assert self.passed_bulk < BULK_SHARE + LARGEST, "bulk starves"


def right_end(request: Request) -> str:
    """Check how one request ended, and say how."""
    assert request.task
    assert request.task.done()
    if request.task.cancelled():
        assert request.left, "a caller who stayed was cancelled"
        return "cancelled"
    assert request.ended_at <= max(request.deadline, request.asked_at) + ROUNDING_S
    error = request.task.exception()
    if error is None:
        assert [answer.output for answer in request.task.result()] == [
            row * 10 for row in request.rows
        ]
        assert all(request.begun[row] == 1 for row in request.rows)
        return "answered"
    if isinstance(error, QueueFullError | TooLateError):
        assert error.retry_after_s > 0
        return "refused"
    if isinstance(error, DeadlinePassedError):
        assert request.ended_at >= request.deadline - ROUNDING_S
        return "expired"
    assert isinstance(error, BatchError), error
    return "failed"


@settings(deadline=None, max_examples=2000)
@given(
    steps=STEPS,
    runs=RUNS,
    runners=st.integers(1, 3),
    places=st.sampled_from([1, 4, 12, 1000]),
    known_s=st.sampled_from([None, 0.5, 3.0]),
    padded=st.booleans(),
)
def test_whatever_happens_everybody_gets_the_own_answer_or_an_honest_error_in_time(
    *,
    steps: list[Ask | Leave | Pass],
    runs: list[Run],
    runners: int,
    places: int,
    known_s: float | None,
    padded: bool,
) -> None:
    async def scene() -> Scene:
        built = Scene(runners, places, runs, known_s, padded=padded)
        await built.play(steps)
        return built

    played = play(scene())
    assert not played.broken, played.broken[0]
    ends = Counter(right_end(request) for request in played.requests)
    assert ends.total() == len(played.requests)
    assert played.at_work == played.admission.in_work == 0
    assert played.runners.free == played.runners.count
    assert all(batcher.queue_size == 0 for batcher in played.batchers)
    begun = sum(len(request.begun) for request in played.requests)
    assert begun == sum(sum(tally.batches) for tally in played.tallies)
