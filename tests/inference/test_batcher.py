import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from services.inference.batch import Answer, BatchError
from services.inference.batcher import Batcher
from services.inference.priority import Priority, Urgency
from services.inference.refusal import DeadlinePassedError, DrainingError, TooLateError
from services.inference.runners import Runners
from tests.inference.hardware import Hardware, Tally
from tests.virtual_time import play

BULK = Urgency(priority=Priority.BULK)


class Gate:
    """A run that the test lets through, batch by batch, and that remembers what it saw."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.began = asyncio.Semaphore(0)
        self.open = asyncio.Semaphore(0)

    def let_through(self, batches: int) -> None:
        for _ in range(batches):
            self.open.release()

    async def run(self, rows: Sequence[int]) -> list[int]:
        self.batches.append(list(rows))
        self.began.release()
        await self.open.acquire()
        return [row * 10 for row in rows]


@asynccontextmanager
async def batching(gate: Gate, runners: int = 1) -> AsyncIterator[Batcher[int, int]]:
    batcher = Batcher(gate.run, Runners(runners), Tally(), max_batch_size=4)
    teach(batcher, lambda rows: 1 + rows)
    yield batcher
    gate.let_through(1000)
    await batcher.close()


def teach(batcher: Batcher[int, int], seconds: Callable[[int], float]) -> None:
    """Let a batcher know what its batches cost, as after a while of work."""
    for rows in (1, 2, 4) * 20:
        batcher.sizing.cost.learn(rows, seconds(rows), time.monotonic())


async def waiting(batcher: Batcher[int, int], rows: int) -> None:
    while batcher.queue_size < rows:  # noqa: ASYNC110 - one turn of the loop, no time passes
        await asyncio.sleep(0)


async def test_a_row_leaves_at_once_when_a_runner_is_free() -> None:
    gate = Gate()
    async with batching(gate) as batcher:
        asked = asyncio.create_task(batcher.submit(1))
        await gate.began.acquire()
        gate.let_through(1)
        answer = await asked
    assert (answer.output, answer.batch_size) == (10, 1)


async def test_rows_that_arrive_while_the_runner_is_busy_form_the_next_batch() -> None:
    gate = Gate()
    async with batching(gate) as batcher:
        asked = [asyncio.create_task(batcher.submit(0))]
        await gate.began.acquire()
        asked += [asyncio.create_task(batcher.submit(row)) for row in (1, 2, 3)]
        await waiting(batcher, 3)
        gate.let_through(2)
        answers = await asyncio.gather(*asked)
    assert gate.batches == [[0], [1, 2, 3]]
    assert [answer.output for answer in answers] == [0, 10, 20, 30]


async def test_a_batch_is_never_larger_than_its_bound() -> None:
    gate = Gate()
    async with batching(gate) as batcher:
        asked = [asyncio.create_task(batcher.submit(0))]
        await gate.began.acquire()
        asked += [asyncio.create_task(batcher.submit(row)) for row in range(1, 8)]
        await waiting(batcher, 7)
        gate.let_through(3)
        await asyncio.gather(*asked)
    assert [len(batch) for batch in gate.batches] == [1, 4, 3]


async def test_two_runners_share_what_waits() -> None:
    gate = Gate()
    async with batching(gate, runners=2) as batcher:
        asked = []
        for row in (0, 1):
            asked.append(asyncio.create_task(batcher.submit(row)))
            await gate.began.acquire()
        asked += [asyncio.create_task(batcher.submit(row)) for row in (2, 3, 4, 5)]
        await waiting(batcher, 4)
        gate.let_through(1)
        await gate.began.acquire()
        assert gate.batches[-1] == [2, 3]


async def test_a_caller_cancelled_while_waiting_never_runs() -> None:
    gate = Gate()
    async with batching(gate) as batcher:
        running = asyncio.create_task(batcher.submit(0))
        await gate.began.acquire()
        leaver = asyncio.create_task(batcher.submit(1))
        await waiting(batcher, 1)
        leaver.cancel()
        await asyncio.wait([leaver])
        assert batcher.queue_size == 0
        stayer = asyncio.create_task(batcher.submit(2))
        await waiting(batcher, 1)
        gate.let_through(2)
        await asyncio.gather(running, stayer)
    assert gate.batches == [[0], [2]]


async def test_a_caller_cancelled_while_its_batch_runs_takes_nothing_from_its_mates() -> None:
    gate = Gate()
    async with batching(gate) as batcher:
        blocker = asyncio.create_task(batcher.submit(0))
        await gate.began.acquire()
        leaver = asyncio.create_task(batcher.submit(1))
        stayer = asyncio.create_task(batcher.submit(2))
        await waiting(batcher, 2)
        gate.let_through(1)
        await gate.began.acquire()
        leaver.cancel()
        gate.let_through(1)
        await blocker
        assert (await stayer).output == 20


async def test_a_run_that_fails_fails_its_own_batch_only() -> None:
    async def run(rows: Sequence[int]) -> list[int]:
        if 13 in rows:
            raise RuntimeError("bad luck")
        return list(rows)

    batcher = Batcher(run, Runners(1), Tally(), max_batch_size=1)
    with pytest.raises(BatchError):
        await batcher.submit(13)
    assert (await batcher.submit(7)).output == 7
    await batcher.close()


@pytest.mark.parametrize("returned", [0, 1, 3])
async def test_a_run_that_loses_or_invents_rows_fails_every_caller(returned: int) -> None:
    gate = asyncio.Event()

    async def run(rows: Sequence[int]) -> list[int]:
        await gate.wait()
        return [7] * returned if len(rows) == 2 else [7] * len(rows)

    batcher = Batcher(run, Runners(1), Tally(), max_batch_size=2)
    teach(batcher, lambda _: 1)
    blocker = asyncio.create_task(batcher.submit(0))
    await asyncio.sleep(0)
    pair = [asyncio.create_task(batcher.submit(row)) for row in (1, 2)]
    await waiting(batcher, 2)
    gate.set()
    outcomes = await asyncio.gather(*pair, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [BatchError, BatchError]
    assert (await blocker).output == 7
    await batcher.close()


async def test_closing_answers_what_waits_and_refuses_what_comes() -> None:
    gate = Gate()
    async with batching(gate) as batcher:
        asked = [asyncio.create_task(batcher.submit(row)) for row in (1, 2)]
        await gate.began.acquire()
        closing = asyncio.create_task(batcher.close())
        await asyncio.sleep(0)
        with pytest.raises(DrainingError):
            await batcher.submit(3)
        gate.let_through(2)
        await closing
        assert [(await answer).output for answer in asked] == [10, 20]


async def test_a_run_that_is_cancelled_answers_its_callers_and_the_batcher_lives_on() -> None:
    async def run(rows: Sequence[int]) -> list[int]:
        if 13 in rows:
            raise asyncio.CancelledError  # as when the threads are shut down under a run
        return list(rows)

    batcher = Batcher(run, Runners(1), Tally(), max_batch_size=1)
    with pytest.raises(BatchError):
        await batcher.submit(13)
    assert (await batcher.submit(7)).output == 7
    await batcher.close()


def test_the_rows_of_one_request_are_answered_together_in_their_order() -> None:
    async def scene() -> list[int]:
        batcher = Batcher(Hardware(lambda _: 1.0).run, Runners(2), Tally(), max_batch_size=2)
        answers = await batcher.submit_all([5, 6, 7, 8, 9])
        return [answer.output for answer in answers]

    assert play(scene()) == [50, 60, 70, 80, 90]


def test_padding_fills_a_batch_up_to_a_shape_and_is_counted() -> None:
    hardware, tally = Hardware(lambda _: 1.0), Tally()

    async def scene() -> list[Answer[int]]:
        batcher = Batcher(hardware.run, Runners(1), tally, max_batch_size=8, padded=True)
        teach(batcher, lambda _: 1)
        return await batcher.submit_all([1, 2, 3])

    answers = play(scene())
    assert hardware.batches == [[1, 2, 3, 1]]
    assert [(answer.output, answer.batch_size) for answer in answers] == [(10, 3), (20, 3), (30, 3)]
    assert (tally.batches, tally.padding) == ([3], 1)


def test_a_delay_that_was_set_holds_rows_back_for_each_other() -> None:
    hardware = Hardware(lambda _: 1.0)

    async def scene() -> float:
        batcher = Batcher(
            hardware.run, Runners(1), Tally(), max_batch_size=8, max_queue_delay_s=0.5
        )
        teach(batcher, lambda _: 1)
        first = asyncio.create_task(batcher.submit(1))
        await asyncio.sleep(0.4)
        await asyncio.gather(first, batcher.submit(2))
        return asyncio.get_running_loop().time()

    assert play(scene()) == pytest.approx(1.5)
    assert hardware.batches == [[1, 2]]


class Busy:
    """One runner that needs a second a row, has learned so, and runs row 0 at this moment."""

    def __init__(self) -> None:
        self.tally = Tally()
        self.hardware = Hardware(lambda rows: 1.0 * rows)
        self.batcher = Batcher(self.hardware.run, Runners(1), self.tally, max_batch_size=4)
        for rows in (1, 4) * 5:
            self.batcher.sizing.cost.learn(rows, 1.0 * rows, 0)
        self.running = self.ask(0)

    def ask(self, row: int, urgency: Urgency = BULK) -> "asyncio.Task[Answer[int]]":
        return asyncio.create_task(self.batcher.submit(row, urgency))


async def outcome(task: "asyncio.Task[Answer[int]]") -> type:
    """Return the kind of an error, or of an answer."""
    (result,) = await asyncio.gather(task, return_exceptions=True)
    return type(result)


def test_what_cannot_be_done_in_time_is_refused_at_once_and_told_when_to_come_back() -> None:
    async def scene() -> tuple[float, float]:
        busy = Busy()
        queue = [busy.ask(row) for row in (1, 2, 3)]
        await asyncio.sleep(0.25)
        with pytest.raises(TooLateError) as refused:
            await busy.batcher.submit(4, Urgency(3.25, Priority.BULK))
        moment = asyncio.get_running_loop().time()
        await asyncio.gather(*queue)
        return moment, refused.value.retry_after_s

    moment, retry_after_s = play(scene())
    assert moment == 0.25
    # Four rows are ahead and it needs a second of its own: it would be done at 5.
    assert retry_after_s == pytest.approx(1.75, rel=0.1)


def test_bulk_that_waits_does_not_make_an_interactive_row_late() -> None:
    async def scene() -> float:
        busy = Busy()
        queue = [busy.ask(row) for row in (1, 2, 3)]
        await asyncio.sleep(0.25)
        await busy.batcher.submit(4, Urgency(deadline=2.5))
        moment = asyncio.get_running_loop().time()
        await asyncio.gather(*queue)
        return moment

    assert play(scene()) == pytest.approx(2)


def test_what_expires_while_it_waits_never_runs() -> None:
    async def scene() -> Busy:
        busy = Busy()
        await asyncio.sleep(0)
        # Nobody refuses it, because nobody knows of the cost.
        busy.batcher.sizing.cost.row_s = busy.batcher.sizing.cost.run_s = 0
        late = busy.ask(1, Urgency(deadline=0.5))
        assert await outcome(late) is DeadlinePassedError
        assert asyncio.get_running_loop().time() == 0.5
        await busy.batcher.close()
        return busy

    busy = play(scene())
    assert busy.hardware.batches == [[0]]
    assert busy.tally.left == {"expired": 1}


def test_what_interactive_rows_have_made_late_is_refused_when_its_turn_comes() -> None:
    async def scene() -> Busy:
        busy = Busy()
        await asyncio.sleep(0)
        late = busy.ask(1, Urgency(2.5, Priority.BULK))
        await asyncio.sleep(0.5)
        others = [busy.ask(row, Urgency()) for row in (2, 3)]
        # It would end at 4 and does not begin, though it is not over yet.
        assert await outcome(late) in {TooLateError, DeadlinePassedError}
        assert [await outcome(other) for other in others] == [Answer, Answer]
        return busy

    assert [1] not in play(scene()).hardware.batches


def test_a_caller_who_leaves_at_its_deadline_counts_as_expired_and_another_as_cancelled() -> None:
    async def scene() -> Tally:
        busy = Busy()
        await asyncio.sleep(0)
        for deadline in (10.0, 0.26):
            busy.batcher.sizing.cost.row_s = busy.batcher.sizing.cost.run_s = 0
            leaver = busy.ask(1, Urgency(deadline))
            await asyncio.sleep(0.125)
            leaver.cancel()
            await asyncio.wait([leaver])
        return busy.tally

    assert play(scene()).left == {"cancelled": 1, "expired": 1}


@pytest.mark.parametrize(
    ("deadline", "expected"),
    [
        (-1e9, DeadlinePassedError),
        (0.0, DeadlinePassedError),
        (1e-6, TooLateError),
        (0.9, TooLateError),
        (1e9, Answer),
        (1e300, Answer),
        (float("inf"), Answer),
    ],
)
def test_absurd_deadlines_behave(deadline: float, expected: type) -> None:
    async def scene() -> type:
        busy = Busy()
        result = await outcome(busy.ask(1, Urgency(deadline)))
        await busy.running
        return result

    assert play(scene()) is expected


def test_a_cost_that_nobody_has_measured_lately_refuses_nobody() -> None:
    async def scene() -> int:
        hardware = Hardware(lambda _: 0.01)
        batcher = Batcher(hardware.run, Runners(1), Tally(), max_batch_size=1)
        batcher.sizing.cost.learn(1, 5.0, 0)  # as after a time of great load
        refused = 0
        for _ in range(400):
            now = asyncio.get_running_loop().time()
            try:
                await batcher.submit(1, Urgency(now + 0.1))
            except TooLateError:
                refused += 1
                await asyncio.sleep(0.1)
        return refused

    # It takes five seconds until the old figure is in doubt, and a few tries to correct it.
    assert 45 < play(scene()) < 75


def test_interactive_rows_go_first_and_one_row_in_eight_is_bulk() -> None:
    async def scene() -> list[list[int]]:
        busy = Busy()
        await asyncio.sleep(0)
        bulk = [busy.ask(-row) for row in (1, 2, 3)]
        interactive = [busy.ask(row, Urgency()) for row in range(1, 21)]
        await asyncio.gather(*bulk, *interactive)
        return busy.hardware.batches

    order = [row for batch in play(scene()) for row in batch]
    assert order == [0, *range(1, 8), -1, *range(8, 15), -2, *range(15, 21), -3]


def test_batchers_on_the_same_hardware_serve_who_came_first() -> None:
    async def scene() -> list[int]:
        runners, hardware = Runners(1), Hardware(lambda _: 1.0)
        one = Batcher(hardware.run, runners, Tally(), max_batch_size=1)
        other = Batcher(hardware.run, runners, Tally(), max_batch_size=1)
        asked = []
        for row, batcher in enumerate([one, other, other, one, other, one]):
            asked.append(asyncio.create_task(batcher.submit(row)))
            await asyncio.sleep(0.01)
        await asyncio.gather(*asked)
        return [row for batch in hardware.batches for row in batch]

    assert play(scene()) == [0, 1, 2, 3, 4, 5]
