import asyncio

import pytest

from services.inference.admission import Admission
from services.inference.forecast import Forecast
from services.inference.hindsight import Hindsight
from services.inference.priority import Priority, Urgency
from services.inference.refusal import DeadlinePassedError, TooLateError
from tests.virtual_time import play

CROWDED = Forecast(wait_s=2, own_s=1)
LONELY = Forecast(wait_s=0, own_s=1)


async def late(error: BaseException) -> None:
    """End with an error when nine seconds are over."""
    await asyncio.sleep(9)
    raise error


def test_waits_that_turn_out_twice_as_long_are_soon_foretold_so() -> None:
    hindsight = Hindsight()
    for _ in range(100):
        hindsight.learn(CROWDED, took_s=5, now=0)
    assert hindsight.corrected(CROWDED, now=0).wait_s == pytest.approx(4, rel=0.1)
    assert hindsight.corrected(CROWDED, now=0).own_s == 1


def test_a_wait_that_was_shorter_than_foretold_makes_no_forecast_shorter() -> None:
    hindsight = Hindsight()
    for _ in range(100):
        hindsight.learn(CROWDED, took_s=1.5, now=0)
    assert hindsight.corrected(CROWDED, now=0) == CROWDED


def test_what_was_learned_in_a_crowd_fades_when_it_is_gone() -> None:
    hindsight = Hindsight()
    for took_s, times in ((9, 100), (1, 200)):
        for _ in range(times):
            hindsight.learn(CROWDED if took_s == 9 else LONELY, took_s, now=0)
    assert hindsight.corrected(CROWDED, now=0).wait_s == pytest.approx(2, rel=0.05)


def test_what_nobody_confirms_is_forgotten() -> None:
    hindsight = Hindsight()
    for _ in range(100):
        hindsight.learn(CROWDED, took_s=9, now=0)
    assert hindsight.corrected(CROWDED, now=60).wait_s == pytest.approx(2, rel=0.05)


def test_one_endless_wait_is_no_rule() -> None:
    hindsight = Hindsight()
    hindsight.learn(CROWDED, took_s=1e6, now=0)
    assert hindsight.corrected(CROWDED, now=0).wait_s < 1.1 * CROWDED.wait_s


@pytest.mark.parametrize(
    "error", [TooLateError(1), DeadlinePassedError(), asyncio.CancelledError()]
)
def test_who_was_let_in_and_came_too_late_makes_the_next_forecast_longer(
    error: BaseException,
) -> None:
    async def scene() -> None:
        admission = Admission(places=1)
        for _ in range(30):
            until = Urgency(asyncio.get_running_loop().time() + 9)
            with pytest.raises(type(error)), admission.place(lambda: CROWDED, until):
                await late(error)
        # Three seconds of work and a run more were enough before.
        until = Urgency(asyncio.get_running_loop().time() + 5)
        with pytest.raises(TooLateError), admission.place(lambda: CROWDED, until):
            pytest.fail("it would be late")

    play(scene())


def test_bulk_that_others_have_overtaken_teaches_nothing() -> None:
    async def scene() -> None:
        admission = Admission(places=2)
        bulk = Urgency(9, Priority.BULK)
        for _ in range(100):
            with pytest.raises(DeadlinePassedError), admission.place(lambda: CROWDED, bulk):
                raise DeadlinePassedError
        with admission.place(lambda: CROWDED, Urgency(4)):
            pass

    play(scene())
