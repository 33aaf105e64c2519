import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.inference.batcher import (
    Answer,
    Batcher,
    BatchError,
    DrainingError,
    Runners,
)


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
    batcher = Batcher(gate.run, Runners(runners), max_batch_size=4)
    batcher.start()
    yield batcher
    gate.let_through(1000)
    await batcher.close()


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
        stayer = asyncio.create_task(batcher.submit(2))
        await waiting(batcher, 2)
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

    batcher = Batcher(run, Runners(1), max_batch_size=1)
    batcher.start()
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

    batcher = Batcher(run, Runners(1), max_batch_size=2)
    batcher.start()
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


@settings(deadline=None, max_examples=150)
@given(
    steps=st.lists(st.sampled_from(["submit", "cancel", "run", "yield"]), max_size=60),
    runners=st.integers(1, 3),
)
def test_whatever_the_interleaving_every_answer_belongs_to_its_caller(
    steps: list[str], runners: int
) -> None:
    async def play() -> None:
        gate = Gate()
        asked: list[asyncio.Task[Answer[int]]] = []
        left: set[asyncio.Task[Answer[int]]] = set()
        batcher = Batcher(gate.run, Runners(runners), max_batch_size=4)
        batcher.start()
        for number, step in enumerate(steps):
            if step == "submit":
                asked.append(asyncio.create_task(batcher.submit(number), name=str(number)))
            elif step == "cancel" and asked:
                leaver = asked[number % len(asked)]
                leaver.cancel()
                left.add(leaver)
            elif step == "run":
                gate.let_through(1)
            await asyncio.sleep(0)
        gate.let_through(len(steps))
        outcomes = await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 10)
        await batcher.close()
        for task, outcome in zip(asked, outcomes, strict=True):
            if isinstance(outcome, BaseException):
                assert isinstance(outcome, asyncio.CancelledError)
                assert task in left, "a caller who stayed was cancelled"
            else:
                assert outcome.output == int(task.get_name()) * 10
        ran = [row for batch in gate.batches for row in batch]
        assert len(ran) == len(set(ran)), "a row ran twice"

    asyncio.run(play())
