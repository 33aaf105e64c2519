"""Whoever leaves, is late or fails on either way, at whichever leg: everybody else is answered."""

import asyncio
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services import picture
from services.inference.admission import QueueFullError
from services.inference.analysis import Analysis
from services.inference.batch import BatchError
from services.inference.priority import Priority
from services.inference.refusal import DeadlinePassedError, TooLateError
from tests.inference.journeys import LEGS, MOST, UNUSABLE, Journey, Luggage, Travel
from tests.virtual_time import play

ROUNDING_S = 1e-6
ENDS = {
    "its caller leaves": asyncio.CancelledError,
    "its time is up": DeadlinePassedError,
    "it fails": BatchError,
}
COUNTS: tuple[tuple[str, dict[str, str]], ...] = (
    ("decode_seconds_count", {}),
    ("batch_size_sum", {"model": "segmenter", "version": "1"}),
    ("batch_size_sum", {"model": "classifier", "version": "1"}),
    ("postprocess_seconds_count", {}),
)
SECONDS = st.sampled_from([0.0, 0.5, 1.0, 1.0, 3.0])
JOURNEYS = st.builds(
    Journey,
    after_s=st.sampled_from([0.0, 0.0, 0.0, 0.3, 1.0, 4.0]),
    time_s=st.sampled_from([math.inf, math.inf, 60.0, 7.0, 3.1, 0.7, 0.0]),
    leaves_s=st.sampled_from([math.inf, math.inf, math.inf, 6.0, 2.6, 1.2, 0.0]),
    priority=st.sampled_from(Priority),
    legs_s=st.tuples(SECONDS, SECONDS, SECONDS, SECONDS),
    fails_at=st.sampled_from(["", "", "", "", UNUSABLE, *LEGS]),
)


@pytest.fixture(scope="module")
def luggage(model_dir: Path) -> Luggage:
    return Luggage(model_dir)


def played(luggage: Luggage, *journeys: Journey, runners: int, places: int = 99) -> Travel:
    async def scene() -> Travel:
        travel = Travel(luggage, journeys, runners=runners, places=places)
        await travel.play()
        return travel

    travel = play(scene())
    assert not travel.broken, travel.broken[0]
    return travel


def how(travel: Travel, number: int) -> str:
    """Check how one journey ended, and say how."""
    journey, end = travel.journeys[number], travel.ends[number]
    assert travel.ended_at.get(number, 0) <= travel.deadlines.get(number, 0) + ROUNDING_S
    if isinstance(end, Analysis):
        assert end.findings is travel.luggage.found["conclude", number]
        assert set(travel.legs(number)) == set(LEGS)
        assert not journey.fails_at
        return "answered"
    if isinstance(end, asyncio.CancelledError):
        assert journey.leaves_s < math.inf
        return "left"
    if isinstance(end, DeadlinePassedError):
        assert travel.ended_at[number] >= travel.deadlines[number] - ROUNDING_S
        return "expired"
    if isinstance(end, TooLateError | QueueFullError):
        assert end.retry_after_s > 0
        return "refused"
    assert isinstance(end, picture.PictureError if journey.fails_at == UNUSABLE else BatchError)
    assert journey.fails_at
    return "failed"


def everything_is_counted_and_nothing_left(travel: Travel) -> None:
    for leg, (name, labels) in zip(LEGS, COUNTS, strict=True):
        times = sum(travel.legs(number).count(leg) for number in range(len(travel.journeys)))
        assert (travel.registry.get_sample_value(f"inference_{name}", labels) or 0) == times
    assert travel.at_work == travel.pipeline.admission.in_work == 0
    assert travel.runners.free == travel.runners.count
    lines = (*travel.stages, *travel.pipeline.ways.first)
    assert not any(line.queue_size for line in lines)


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("at", range(len(LEGS)), ids=LEGS)
def test_who_is_lost_at_a_leg_of_the_way_in_one_go_goes_no_further_and_the_next_one_begins(
    luggage: Luggage, at: int, end: str
) -> None:
    lost = Journey(
        time_s=at + 0.5 if end == "its time is up" else math.inf,
        leaves_s=at + 0.5 if end == "its caller leaves" else math.inf,
        fails_at=LEGS[at] if end == "it fails" else "",
    )
    holds_a_runner = Journey(legs_s=(100.0, 0.0, 0.0, 0.0))
    travel = played(luggage, holds_a_runner, lost, Journey(), runners=2)
    assert [how(travel, number) for number in (0, 2)] == ["answered"] * 2
    assert isinstance(travel.ends[1], ENDS[end])
    assert travel.legs(1) == LEGS[: at + 1]
    assert travel.gone[2] == [(leg, at + 1.0 + nth) for nth, leg in enumerate(LEGS)]
    assert travel.registry.get_sample_value("inference_in_one_go_total") == 1
    everything_is_counted_and_nothing_left(travel)


@settings(deadline=None, max_examples=200)
@given(
    journeys=st.lists(JOURNEYS, min_size=2, max_size=MOST),
    runners=st.integers(1, 3),
    places=st.sampled_from([2, 99]),
)
def test_on_both_ways_everybody_gets_the_own_answer_or_an_honest_error_in_time(
    luggage: Luggage, journeys: list[Journey], runners: int, places: int
) -> None:
    travel = played(luggage, *journeys, runners=runners, places=places)
    for number in range(len(journeys)):
        how(travel, number)
    everything_is_counted_and_nothing_left(travel)
