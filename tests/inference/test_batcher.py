import asyncio
import math
from collections.abc import Sequence

import pytest

from services.inference.batch import Answer, BatchError
from services.inference.batcher import Batcher
from services.inference.line import Waiting
from services.inference.priority import Urgency
from services.inference.refusal import DeadlinePassedError, DrainingError, TooLateError
from services.inference.runners import Runners
from tests.inference.batching import Gate, batching, teach, waiting
from tests.inference.hardware import Hardware, Tally
from tests.virtual_time import play


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


@pytest.mark.parametrize(
    "error",
    [RuntimeError, asyncio.CancelledError],  # the second as when threads are shut down under it
)
async def test_a_run_that_fails_fails_its_own_batch_only(error: type[BaseException]) -> None:
    async def run(rows: Sequence[int]) -> list[int]:
        if 13 in rows:
            raise error
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


@pytest.mark.parametrize(
    ("rows", "deadline", "ends_at"),
    [(4, math.inf, 2.0), (1, 10.0, 8.0), (1, math.inf, 61.0)],
    ids=["full", "it would be late", "neither"],
)
def test_a_delay_that_was_set_holds_back_neither_a_full_batch_nor_a_row_until_it_is_late(
    rows: int, deadline: float, ends_at: float
) -> None:
    async def scene() -> float:
        hardware = Hardware(lambda _: 1.0)
        batcher = Batcher(
            hardware.run, Runners(1), Tally(), max_batch_size=4, max_queue_delay_s=60.0
        )
        teach(batcher, lambda _: 1.0)
        first = asyncio.create_task(batcher.submit(0, Urgency(deadline)))
        await asyncio.sleep(1.0)
        await asyncio.gather(*(batcher.submit(row) for row in range(1, rows)))
        await first
        return asyncio.get_running_loop().time()

    assert play(scene()) <= ends_at + 1.0


def test_closing_waits_for_no_delay() -> None:
    async def scene() -> float:
        hardware = Hardware(lambda _: 1.0)
        batcher = Batcher(
            hardware.run, Runners(1), Tally(), max_batch_size=4, max_queue_delay_s=60.0
        )
        held_back = asyncio.create_task(batcher.submit(1))
        await asyncio.sleep(1.0)
        await batcher.close()
        assert (await held_back).output == 10
        return asyncio.get_running_loop().time()

    assert play(scene()) == pytest.approx(2.0)


def test_a_row_that_company_would_make_late_runs_alone() -> None:
    hardware = Hardware(lambda rows: 5.0 + rows)

    async def scene() -> list[float]:
        batcher = Batcher(hardware.run, Runners(1), Tally(), max_batch_size=4)
        teach(batcher, hardware.seconds)
        loop = asyncio.get_running_loop()

        async def answered_at(row: int, deadline: float) -> float:
            await batcher.submit(row, Urgency(deadline))
            return loop.time()

        running = asyncio.create_task(batcher.submit(0))
        await asyncio.sleep(0.5)
        hurried = asyncio.create_task(answered_at(1, 12.5))
        other = asyncio.create_task(answered_at(2, 100.0))
        ends = [await hurried, await other]
        await running
        return ends

    assert play(scene()) == pytest.approx([12, 18])
    assert hardware.batches == [[0], [1], [2]]


def test_a_request_without_rows_is_answered_with_none() -> None:
    async def scene() -> list[Answer[int]]:
        batcher = Batcher(Hardware(lambda _: 1.0).run, Runners(1), Tally(), max_batch_size=2)
        return await batcher.submit_all([], Urgency(deadline=1))

    assert play(scene()) == []


def test_an_observer_that_fails_costs_nobody_an_answer(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Tally):
        def expired(self, waiting: Waiting[int]) -> None:
            del waiting
            raise RuntimeError("no disk for metrics")

        cancelled = expired

    async def scene() -> list[object]:
        batcher = Batcher(Hardware(lambda _: 1.0).run, Runners(1), Broken(), max_batch_size=1)
        asked = [
            asyncio.create_task(batcher.submit(row, Urgency(deadline)))
            for row, deadline in enumerate([9.0, 1.5, 9.0, 1.5, 9.0])
        ]
        await asyncio.sleep(0.5)
        asked[2].cancel()
        return await asyncio.gather(*asked, return_exceptions=True)

    kinds = [type(each) for each in play(scene())]
    assert kinds[0] is kinds[4] is Answer
    assert kinds[2] is asyncio.CancelledError
    assert {kinds[1], kinds[3]} <= {TooLateError, DeadlinePassedError}
    assert "could not be counted" in caplog.text
