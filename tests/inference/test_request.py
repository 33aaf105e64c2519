"""Rows that only serve together, or only with the work that follows them."""

import asyncio

from services.inference.batch import Answer
from services.inference.batcher import Batcher
from services.inference.priority import Priority, Request, Urgency
from services.inference.refusal import TooLateError
from services.inference.runners import Runners
from tests.inference.batching import Busy, outcome
from tests.inference.hardware import Hardware, Tally
from tests.virtual_time import play


def test_where_one_row_of_a_request_is_too_late_its_others_do_not_run() -> None:
    async def scene() -> tuple[list[list[int]], list[type]]:
        runners = Runners(1)
        # The run that goes on takes two seconds more than runs of this model ever took.
        slow, quick = Hardware(lambda _: 5.0), Hardware(lambda _: 1.0)
        models = [Batcher(each.run, runners, Tally(), max_batch_size=1) for each in (slow, quick)]
        for model, seconds in zip(models, (3.0, 1.0), strict=True):
            model.sizing.cost.learn(1, seconds, 0)
        running = asyncio.create_task(models[0].submit(0))
        await asyncio.sleep(0)
        request = Urgency(asyncio.get_running_loop().time() + 7.5, request=Request())
        rows = [asyncio.create_task(model.submit(1, request)) for model in models]
        await running
        return quick.batches, [await outcome(row) for row in rows]

    ran, (too_late, _) = play(scene())
    assert too_late is TooLateError
    assert ran == []


def test_a_row_is_turned_away_where_no_time_is_left_for_what_must_follow_it() -> None:
    async def scene() -> list[type]:
        busy = Busy()
        until = Urgency(asyncio.get_running_loop().time() + 2.7)
        await asyncio.sleep(0)
        return [await outcome(busy.ask(1, until.before(seconds))) for seconds in (1.0, 0.5)]

    assert play(scene()) == [TooLateError, Answer]


def test_a_row_that_others_have_made_late_does_not_begin_without_time_for_what_follows() -> None:
    async def scene() -> tuple[Busy, type]:
        busy = Busy()
        await asyncio.sleep(0)
        late = busy.ask(1, Urgency(3.5, Priority.BULK).before(1.0))
        await asyncio.sleep(0.5)
        busy.ask(2, Urgency())
        # It could end at 3, but what follows would end at 4.
        return busy, await outcome(late)

    busy, ended = play(scene())
    assert ended is TooLateError
    assert [1] not in busy.hardware.batches
