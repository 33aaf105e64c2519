"""Whom a batch left without an answer: back in line, for a run of its own in its turn."""

import asyncio
from collections.abc import Callable, Sequence

import pytest

from services.inference.batch import Answer, BatchError
from services.inference.batcher import Batcher
from services.inference.priority import WHENEVER, Priority, Urgency
from services.inference.refusal import DeadlinePassedError, MemoryShortError, TooLateError
from services.inference.runners import Runners
from tests.inference.batching import BULK, outcome
from tests.inference.hardware import Tally
from tests.virtual_time import play


class Unwell:
    """Hardware on which each run takes a second, and fails with a negative row."""

    def __init__(self, error: Callable[[], Exception] = RuntimeError) -> None:
        self._error = error
        self.batches: list[list[int]] = []

    async def run(self, rows: Sequence[int]) -> Sequence[int]:
        self.batches.append(list(rows))
        await asyncio.sleep(1)
        if min(rows) < 0:
            raise self._error()
        return rows


def known(hardware: Unwell, runners: Runners, tally: Tally | None = None) -> Batcher[int, int]:
    """Build a batcher that has learned that a batch takes a second, whatever its size."""
    batcher = Batcher(hardware.run, runners, tally or Tally(), max_batch_size=8)
    for rows in (1, 8) * 20:
        batcher.sizing.cost.learn(rows, 1.0, 0)
    return batcher


def asked(
    batcher: Batcher[int, int], rows: Sequence[int], urgency: Urgency = WHENEVER
) -> "list[asyncio.Task[Answer[int]]]":
    return [asyncio.create_task(batcher.submit(row, urgency)) for row in rows]


def answered_together(
    hardware: Unwell, asks: dict[int, Urgency], leaves: int | None = None
) -> tuple[dict[int, type], Tally]:
    """Ask for rows that make one batch; say what each came to, and what was counted."""

    async def scene() -> list[Answer[int] | BaseException]:
        batcher = known(hardware, Runners(1), tally)
        tasks = {row: asyncio.create_task(batcher.submit(row, asks[row])) for row in asks}
        await asyncio.sleep(0.5)
        if leaves is not None:
            tasks[leaves].cancel()
        outcomes = await asyncio.gather(*tasks.values(), return_exceptions=True)
        await batcher.close()
        return outcomes

    tally = Tally()
    ends = play(scene())
    return dict(zip(asks, map(type, ends), strict=True)), tally


def test_who_leaves_or_runs_out_of_time_in_a_batch_that_fails_is_not_run_again() -> None:
    hardware = Unwell()
    asks = {1: Urgency(), -2: Urgency(), 3: Urgency(1.5), 4: Urgency()}
    ends, tally = answered_together(hardware, asks, leaves=1)
    assert ends == {
        1: asyncio.CancelledError,
        -2: BatchError,
        3: DeadlinePassedError,
        4: Answer,
    }
    assert hardware.batches == [[1, -2, 3, 4], [-2], [4]]
    assert (tally.batches, tally.failed, tally.left) == ([4, 1, 1], 2, {"expired": 1})


def test_a_batch_in_which_nobody_can_be_answered_is_not_tried_a_third_time() -> None:
    hardware = Unwell()
    ends, _ = answered_together(hardware, dict.fromkeys((-1, -2, -3), Urgency()))
    assert set(ends.values()) == {BatchError}
    assert hardware.batches == [[-1, -2, -3], [-1], [-2], [-3]]


def test_what_failed_for_want_of_memory_is_not_tried_again() -> None:
    hardware = Unwell(MemoryError)
    ends, tally = answered_together(hardware, dict.fromkeys((1, -2, 3), Urgency()))
    assert set(ends.values()) == {MemoryShortError}
    assert (hardware.batches, tally.failed) == ([[1, -2, 3]], 1)


def test_what_must_follow_a_second_run_counts_too_before_it_is_begun() -> None:
    hardware = Unwell()
    asks = {-1: Urgency(), 2: Urgency(deadline=10, then_s=7.5), 3: Urgency()}
    ends, _ = answered_together(hardware, asks)
    assert ends == {-1: BatchError, 2: TooLateError, 3: Answer}
    assert hardware.batches == [[-1, 2, 3], [-1], [3]]


def test_bulk_that_comes_again_lets_interactive_rows_pass_by_turns() -> None:
    async def scene() -> None:
        batcher = known(hardware, Runners(1))
        bulk = asked(batcher, [-1, 2, 3, 4, 5, 6, 7, 8], BULK)
        await asyncio.sleep(0.5)
        interactive = asyncio.create_task(batcher.submit(100, Urgency(deadline=3.5)))
        assert await outcome(interactive) is Answer
        assert asyncio.get_running_loop().time() == pytest.approx(2)
        ends = [await outcome(each) for each in bulk]
        assert ends == [BatchError] + [Answer] * 7

    hardware = Unwell()
    play(scene())
    assert [len(batch) for batch in hardware.batches] == [8] + [1] * 9
    assert hardware.batches[1] == [100]


def test_rows_of_another_model_that_came_before_have_the_runner_before_a_second_run() -> None:
    async def scene() -> None:
        runners = Runners(1)
        first, second = known(hardware, runners), known(hardware, runners)
        together = asked(first, [-1, 2, 3], Urgency(since=-5))
        await asyncio.sleep(0.5)
        older = asked(second, [100], Urgency(since=-9))
        await asyncio.gather(*together, *older, return_exceptions=True)

    hardware = Unwell()
    play(scene())
    assert hardware.batches == [[-1, 2, 3], [100], [-1], [2], [3]]


@pytest.mark.parametrize("priority", Priority)
def test_who_comes_after_rows_that_run_again_is_foretold_a_run_for_each_of_them(
    priority: Priority,
) -> None:
    async def scene() -> None:
        batcher, loop = known(hardware, Runners(1)), asyncio.get_running_loop()
        again = asked(batcher, [-1, 2, 3, 4, 5], Urgency(priority=priority))
        await asyncio.sleep(1.5)
        foretold = batcher.forecast(priority)
        assert foretold.wait_s == pytest.approx(4.5, rel=0.05)
        end = loop.time() + foretold.end_s
        await batcher.submit(6, Urgency(priority=priority))
        assert loop.time() == pytest.approx(end, rel=0.05)
        await asyncio.gather(*again, return_exceptions=True)

    hardware = Unwell()
    play(scene())


def test_an_interactive_row_is_not_foretold_all_bulk_that_runs_again() -> None:
    async def scene() -> float:
        batcher = known(Unwell(), Runners(1))
        bulk = asked(batcher, [-1, 2, 3, 4, 5], BULK)
        await asyncio.sleep(1.5)
        foretold = batcher.forecast(Priority.INTERACTIVE)
        await asyncio.gather(*bulk, return_exceptions=True)
        return foretold.end_s

    assert play(scene()) == pytest.approx(1.5, rel=0.05)


def test_rows_that_run_again_do_so_before_those_that_came_later_which_share_batches() -> None:
    async def scene() -> None:
        batcher = known(hardware, Runners(1))
        before = asked(batcher, [-1, 2, 3])
        await asyncio.sleep(0.5)
        after = asked(batcher, [4, 5, 6])
        await asyncio.gather(*before, *after, return_exceptions=True)

    hardware = Unwell()
    play(scene())
    assert hardware.batches == [[-1, 2, 3], [-1], [2], [3], [4, 5, 6]]


def test_an_answer_tells_all_waits_as_waiting_and_all_runs_as_running() -> None:
    async def scene() -> Answer[int]:
        batcher = known(Unwell(), Runners(1))
        first = asked(batcher, [0])
        await asyncio.sleep(0)
        together = asked(batcher, [-1, 2, 3])
        answer = await together[-1]
        await asyncio.gather(*first, *together, return_exceptions=True)
        return answer

    # It waited for row 0 and for two runs of others; it ran in the batch that failed, and alone.
    assert play(scene()) == Answer(3, queue_s=3, run_s=2, batch_size=1)


def test_a_second_run_that_is_cancelled_ends_and_gives_its_runner_back() -> None:
    async def scene() -> None:
        runners = Runners(1)
        batcher = known(Unwell(), runners)
        tasks = asked(batcher, [1, -2])
        await asyncio.sleep(1.5)
        (running,) = asyncio.all_tasks() - {asyncio.current_task(), *tasks}
        running.cancel()
        await asyncio.wait([running])
        assert running.cancelled()
        assert asyncio.get_running_loop().time() == pytest.approx(1.5)
        assert [await outcome(each) for each in tasks] == [BatchError, BatchError]
        await batcher.close()
        assert runners.free == 1

    play(scene())
