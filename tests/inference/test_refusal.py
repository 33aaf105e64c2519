import asyncio

import pytest

from services.inference.batch import Answer
from services.inference.batcher import Batcher
from services.inference.priority import Priority, Urgency
from services.inference.refusal import DeadlinePassedError, TooLateError
from services.inference.runners import Runners
from tests.inference.batching import Busy, outcome
from tests.inference.hardware import Hardware, Tally
from tests.virtual_time import play


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


def test_who_was_let_in_is_not_refused_on_the_way_for_a_margin() -> None:
    async def scene() -> float:
        busy = Busy()
        await asyncio.sleep(0)
        await busy.ask(1, Urgency(deadline=2.1))
        await busy.running
        return asyncio.get_running_loop().time()

    assert play(scene()) == 2


def test_bulk_that_waits_does_not_make_an_interactive_row_late() -> None:
    async def scene() -> float:
        busy = Busy()
        queue = [busy.ask(row) for row in (1, 2, 3)]
        await asyncio.sleep(0.25)
        await busy.batcher.submit(4, Urgency(deadline=2.9))
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
