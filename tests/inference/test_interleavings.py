"""Thousands of random scenes in virtual time: whatever happens, nobody is forgotten or mixed up."""

import asyncio
import math
from collections import Counter

from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.inference.admission import QueueFullError
from services.inference.batch import BatchError
from services.inference.priority import Priority
from services.inference.refusal import DeadlinePassedError, DrainingError, TooLateError
from tests.inference.scene import ANSWERED, Request, Scene
from tests.inference.script import Ask, Close, House, Leave, Pass, Run, Stall
from tests.virtual_time import play

ROUNDING_S = 1e-6

ASKS = st.builds(
    Ask,
    st.sampled_from([(0,), (1,), (0, 1)]),
    st.sampled_from([1, 1, 1, 3, 9]),
    st.sampled_from([math.inf, math.inf, 1e9, 40.0, 6.0, 2.0, 0.5, 1e-9, 0.0, -3.0]),
    st.sampled_from(Priority),
)
STEP = st.one_of(
    ASKS,
    ASKS,
    ASKS,
    st.builds(Leave, st.integers(0, 50)),
    st.builds(Pass, st.sampled_from([0.0, 0.0, 0.01, 0.5, 1.0, 3.0])),
    st.builds(Pass, st.sampled_from([0.0, 0.01, 0.5, 1.0, 3.0])),
)
RARELY = st.one_of(
    STEP, STEP, st.builds(Stall, st.sampled_from([0.5, 5.0])), st.builds(Close, st.integers(0, 1))
)
STEPS = st.one_of(st.lists(STEP, max_size=40), st.lists(st.one_of(STEP, RARELY), max_size=40))
RUNS = st.lists(
    st.one_of(
        st.builds(Run, st.sampled_from([0.0, 0.5, 1.0, 1.0, 2.0, 9.0])),
        st.builds(Run, st.just(1.0), rows_lost=st.sampled_from([-1, 1, 2])),
        st.builds(Run, st.just(1.0), mute=st.sampled_from([(0,), (1, 2), (0, 1, 2, 3)])),
        st.builds(
            Run,
            st.sampled_from([0.0, 1.0]),
            error=st.sampled_from([RuntimeError, asyncio.CancelledError]),
        ),
    ),
    max_size=12,
)
HOUSES = st.builds(
    House,
    runners=st.integers(1, 3),
    places=st.sampled_from([1, 4, 12, 1000]),
    known_s=st.sampled_from([None, 0.5, 3.0]),
    padded=st.booleans(),
    delay_s=st.sampled_from([0.0, 0.0, 0.0, 0.3]),
)


def right_end(request: Request, scene: Scene) -> str:
    """Check how one request ended, and say how."""
    assert request.task
    assert request.task.done()
    if request.task.cancelled():
        assert request.left, "a caller who stayed was cancelled"
        return "cancelled"
    latest = max(request.deadline, request.asked_at) + scene.stalled_s + ROUNDING_S
    assert request.ended_at <= latest
    error = request.task.exception()
    if error is None:
        assert request.task.result() == [row + ANSWERED for row in request.rows]
        assert all(request.begun[row] for row in request.rows)
        return "answered"
    if isinstance(error, QueueFullError | TooLateError):
        assert error.retry_after_s > 0
        return "refused"
    if isinstance(error, DeadlinePassedError):
        assert request.ended_at >= request.deadline - ROUNDING_S
        return "expired"
    if isinstance(error, DrainingError):
        assert scene.closing
        return "drained"
    assert isinstance(error, BatchError), error
    assert request.unlucky, "somebody failed whose runs went well, or were tried again"
    return "failed"


def nothing_is_left(scene: Scene) -> None:
    assert scene.at_work == scene.admission.in_work == 0
    assert scene.runners.free == scene.runners.count
    assert not any(batcher.queue_size for batcher in scene.batchers)


def every_row_is_counted_once(scene: Scene) -> None:
    begun = sum(request.begun.total() for request in scene.requests)
    assert begun == sum(sum(tally.batches) for tally in scene.tallies)
    for ran, tally in zip(scene.ran_rows, scene.tallies, strict=True):
        assert ran == sum(tally.batches) + tally.padding
    # A row that is refused when its turn comes is counted with its request, not with the rows;
    # a batch with another row of that request may have failed just before.
    late = sum(
        len(request.rows)
        for request in scene.requests
        if request.task
        and not request.task.cancelled()
        and isinstance(request.task.exception(), TooLateError | BatchError)
        and not request.turned_away
    )
    dropped = sum(tally.left.total() for tally in scene.tallies)
    at_doors = sum(
        len(request.rows)
        for request in scene.requests
        if request.turned_away and request.deadline <= request.ended_at
    )
    missing = sum(scene.entered) - sum(len(each.begun) for each in scene.requests) - dropped
    # Who leaves the line after a run that had no answer for it has begun, and is dropped too.
    came_again = sum(
        request.begun[row] == 1
        for row, request in scene.of_row.items()
        if row in scene.failed_together
    )
    assert -at_doors - came_again <= missing <= late


PASSED_WHEN_ITS_TIME_WAS_UP = [
    Ask((0,), 1, math.inf, Priority.INTERACTIVE),
    Ask((0,), 1, math.inf, Priority.BULK),
    Ask((0,), 3, 2.0, Priority.INTERACTIVE),
    Stall(5.0),
    Ask((0,), 1, math.inf, Priority.BULK),
]
LATE_BETWEEN_TURN_AND_RUN = [Ask((0,), 1, 2.0, Priority.INTERACTIVE), Pass(0.0), Stall(5.0)]
LEFT_WHILE_OTHERS_WAIT = [
    *[Ask((0,), 1, math.inf, Priority.INTERACTIVE)] * 9,
    Pass(0.01),
    Leave(8),
    Pass(0.01),
]
FAILED_WHILE_ITS_OTHERS_WAIT = [Ask((0,), 9, math.inf, Priority.INTERACTIVE)]
BULK_AMONG_MANY = [
    Ask((0,), 1, math.inf, Priority.INTERACTIVE),
    Pass(0.01),
    Ask((0,), 1, math.inf, Priority.BULK),
    *[Ask((0,), 9, math.inf, Priority.INTERACTIVE)] * 3,
]
ALL_MUTE = Run(1.0, mute=(0, 1, 2, 3))
ONE_RUNNER = House(runners=1, places=50, known_s=None, padded=False, delay_s=0.0)


@settings(deadline=None, max_examples=2000)
@example(steps=PASSED_WHEN_ITS_TIME_WAS_UP, runs=[], house=ONE_RUNNER)
@example(steps=LATE_BETWEEN_TURN_AND_RUN, runs=[], house=ONE_RUNNER)
@example(steps=LEFT_WHILE_OTHERS_WAIT, runs=[], house=ONE_RUNNER)
@example(steps=FAILED_WHILE_ITS_OTHERS_WAIT, runs=[ALL_MUTE], house=ONE_RUNNER)
@example(steps=BULK_AMONG_MANY, runs=[], house=ONE_RUNNER)
@given(steps=STEPS, runs=RUNS, house=HOUSES)
def test_whatever_happens_everybody_gets_the_own_answer_or_an_honest_error_in_time(
    *, steps: list[Ask | Leave | Pass | Stall | Close], runs: list[Run], house: House
) -> None:
    async def scene() -> Scene:
        built = Scene(house, runs)
        await built.play(steps)
        return built

    played = play(scene())
    assert not played.broken, played.broken[0]
    ends = Counter(right_end(request, played) for request in played.requests)
    assert ends.total() == len(played.requests)
    nothing_is_left(played)
    every_row_is_counted_once(played)
