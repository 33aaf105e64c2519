"""What is told of the future comes true, as far as it can be known."""

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from services.inference.batch import Answer
from services.inference.batcher import Batcher
from services.inference.engine import engine
from services.inference.priority import Priority, Urgency
from services.inference.refusal import TooLateError
from services.inference.runners import Contender, Runners
from services.inference.settings import Settings
from tests import specimens
from tests.inference.batching import held
from tests.inference.hardware import Hardware, Tally
from tests.virtual_time import play


@dataclass(frozen=True)
class Ask:
    """A request comes some time after the one before it."""

    after_s: float
    rows: int
    priority: Priority


# No request comes in the very moment in which a run ends: who is first then is chance.
ASKS = st.builds(
    Ask,
    st.sampled_from([0.0, 0.0, 0.31372549, 1.77140183]),
    st.integers(1, 9),
    st.sampled_from(Priority),
)


def known(runners: Runners, cost_s: float = 1.0, *, largest: int = 1) -> Batcher[int, int]:
    """Build a batcher whose batches cost the same at any size, and that has learned so."""
    hardware = Hardware(lambda _: cost_s)
    batcher = Batcher(hardware.run, runners, Tally(), max_batch_size=largest)
    for rows in {1, largest}:
        batcher.sizing.cost.learn(rows, cost_s, 0)
    return batcher


@settings(deadline=None, max_examples=300)
@given(asks=st.lists(ASKS, max_size=12), runners=st.integers(1, 5), newcomer=ASKS)
def test_a_request_after_which_nobody_comes_is_answered_when_it_was_foretold(
    asks: list[Ask], runners: int, newcomer: Ask
) -> None:
    async def scene() -> None:
        batcher = known(Runners(runners))
        loop = asyncio.get_running_loop()
        asked = []
        for ask in (*asks, newcomer):
            await asyncio.sleep(ask.after_s)
            batcher.sizing.cost.learn(1, 1.0, loop.time())
            end = loop.time() + batcher.forecast(ask.priority, ask.rows).end_s
            urgency = Urgency(priority=ask.priority)
            asked.append(asyncio.create_task(batcher.submit_all([0] * ask.rows, urgency)))
            await asyncio.sleep(0)
        await asked[-1]
        assert loop.time() == pytest.approx(end)
        await asyncio.gather(*asked)

    play(scene())


def test_requests_of_the_same_moment_are_not_late_while_each_finds_a_runner() -> None:
    async def scene() -> list[Answer[int] | BaseException]:
        batcher = known(Runners(8))
        asked = [batcher.submit(row, Urgency(deadline=1.1)) for row in range(9)]
        return await asyncio.gather(*asked, return_exceptions=True)

    ends = [type(each) for each in play(scene())]
    assert ends == [Answer] * 8 + [TooLateError]


def test_a_row_that_joins_a_batch_does_not_wait_for_the_batch() -> None:
    async def scene() -> float:
        batcher = known(Runners(1), largest=8)
        for rows in (1, 8) * 20:
            batcher.sizing.cost.learn(rows, 1.0, 0)
        running = asyncio.create_task(batcher.submit(0))
        await asyncio.sleep(0)
        mate = asyncio.create_task(batcher.submit(1))
        await asyncio.sleep(0)
        foretold = batcher.forecast(Priority.INTERACTIVE).end_s
        await asyncio.gather(running, mate)
        return foretold

    assert play(scene()) == pytest.approx(2, rel=0.05)


def test_in_a_burst_after_a_quiet_time_what_cannot_end_in_time_is_refused_at_once() -> None:
    async def scene() -> list[type]:
        batcher = known(Runners(2))
        await asyncio.sleep(3600)
        loop = asyncio.get_running_loop()

        async def ask(row: int) -> type:
            try:
                await batcher.submit(row, Urgency(deadline=3602.5))
            except TooLateError:
                assert loop.time() == 3600
                return TooLateError
            return Answer

        return await asyncio.gather(*map(ask, range(20)))

    assert play(scene()) == [Answer] * 4 + [TooLateError] * 16


def test_a_request_is_not_late_for_rows_of_another_model_that_came_after_it() -> None:
    async def scene() -> float:
        runners = Runners(1)
        first, second = known(runners), known(runners)
        later = [
            asyncio.create_task(first.submit(row, Urgency(since=0.1 * row))) for row in range(9)
        ]
        await asyncio.sleep(0.5)
        await second.submit(0, Urgency(deadline=2.5, since=0.05))
        moment = asyncio.get_running_loop().time()
        await asyncio.gather(*later)
        return moment

    assert play(scene()) == pytest.approx(2)


def test_what_comes_to_other_runners_is_not_waited_for() -> None:
    async def scene() -> tuple[float, float]:
        batcher, elsewhere = known(Runners(1)), known(Runners(2))
        beside = known(batcher.runners)
        for each in (batcher, elsewhere, beside):
            each.sizing.cost.learn(1, 1.0, 0)
        foretold = [
            batcher.forecast(Priority.INTERACTIVE, coming={other: 5}).wait_s
            for other in (elsewhere, beside)
        ]
        return foretold[0], foretold[1]

    assert play(scene()) == pytest.approx((0, 5))


def test_bulk_is_foretold_its_share_and_not_the_end_of_the_line() -> None:
    async def scene() -> float:
        batcher = known(Runners(1))
        asked = [asyncio.create_task(batcher.submit(row)) for row in range(60)]
        await asyncio.sleep(0.5)
        await batcher.submit(-1, Urgency(deadline=11, priority=Priority.BULK))
        moment = asyncio.get_running_loop().time()
        await asyncio.gather(*asked)
        return moment

    assert play(scene()) < 9.5


def test_pictures_that_are_still_on_their_way_count_as_if_they_waited() -> None:
    async def scene() -> list[float]:
        runners = Runners(2)
        one, other = known(runners), known(runners, 2.0)
        coming: list[dict[Contender, int]] = [{}, {one: 1}, {one: 1, other: 1}, {one: 3, other: 2}]
        return [one.forecast(Priority.INTERACTIVE, coming=each).end_s for each in coming]

    assert play(scene()) == [1, 1, 2, 4.5 - 0.5]


def test_an_outdated_cost_of_another_model_that_is_idle_refuses_nobody() -> None:
    async def scene() -> float:
        runners = Runners(1)
        classifier, segmenter = known(runners, 0.25), known(runners, 10.0)
        await asyncio.sleep(3600)
        classifier.sizing.cost.learn(1, 0.25, asyncio.get_running_loop().time())
        return classifier.forecast(Priority.INTERACTIVE, coming={segmenter: 1}).end_s

    assert play(scene()) == 0.25


def test_an_outdated_cost_of_another_model_counts_where_rows_wait_for_it() -> None:
    async def scene() -> float:
        runners = Runners(1)
        classifier, segmenter = known(runners, 100.0), known(runners, 10.0)
        asked = [asyncio.create_task(classifier.submit(0))]
        await asyncio.sleep(0)
        asked.append(asyncio.create_task(segmenter.submit(0)))
        await asyncio.sleep(90)
        foretold = classifier.forecast(Priority.INTERACTIVE).wait_s
        await asyncio.gather(*asked)
        return foretold

    assert play(scene()) == 10 + 10


def test_a_run_that_is_overdue_is_expected_to_take_as_long_again_as_it_is_late() -> None:
    async def scene() -> list[float]:
        hardware = Hardware(lambda _: 8.0)
        batcher = Batcher(hardware.run, Runners(1), Tally(), max_batch_size=1)
        batcher.sizing.cost.learn(1, 2.0, 0)
        running = asyncio.create_task(batcher.submit(0))
        waits = []
        for _ in range(4):
            await asyncio.sleep(1.5)
            waits.append(batcher.forecast(Priority.INTERACTIVE).wait_s)
        await running
        return waits

    # It costs two seconds by what is known, and no more than that is expected again.
    assert play(scene()) == [0.5, 1, 2, 2]


async def test_bulk_that_goes_step_by_step_is_foretold_its_share_at_every_step(
    model_dir: Path, registry: CollectorRegistry
) -> None:
    picture = specimens.lesion_jpeg((300, 200))
    async with engine(Settings(model_dir=model_dir, runners=2), registry) as pipeline:
        pipeline.ways = replace(pipeline.ways, straight=None)
        async with held(pipeline.ways.steps.decode.runners):
            asked = [asyncio.create_task(pipeline.analyze(picture)) for _ in range(28)]
            while sum(line.queue_size for line in pipeline.ways.first) < 28:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            ahead = pipeline.coming(Priority.INTERACTIVE), pipeline.coming(Priority.BULK)
        await asyncio.gather(*asked)
    assert [set(each.values()) for each in ahead] == [{28}, {7}]
