import asyncio

import pytest

from services.inference.admission import Admission, QueueFullError
from services.inference.forecast import Forecast
from services.inference.priority import Priority, Urgency
from services.inference.refusal import RefusedError, TooLateError
from tests.virtual_time import play

BULK = Urgency(priority=Priority.BULK)


def outlook() -> Forecast:
    return Forecast(wait_s=2, own_s=1)


def unasked() -> Forecast:
    raise AssertionError("a forecast costs time, and here nothing depends on it")


def test_a_picture_more_than_there_are_places_is_refused_and_told_when_to_come_back() -> None:
    admission = Admission(places=1)
    with (
        admission.place(unasked),
        pytest.raises(QueueFullError) as refused,
        admission.place(outlook),
    ):
        pytest.fail("there was no place")
    assert refused.value.retry_after_s == 2


def test_a_place_is_free_again_whatever_became_of_the_picture() -> None:
    admission = Admission(places=1)
    with pytest.raises(RuntimeError), admission.place(unasked):
        raise RuntimeError("the picture was bad")
    with admission.place(unasked):
        assert admission.in_work == 1
    assert admission.in_work == 0


def test_a_request_takes_a_place_for_each_of_its_pictures_or_none() -> None:
    admission = Admission(places=4)
    with admission.place(unasked, pictures=3):
        assert admission.in_work == 3
        with pytest.raises(QueueFullError), admission.place(outlook, pictures=2):
            pytest.fail("there was one place")
    assert admission.in_work == 0


def test_bulk_leaves_places_for_those_who_wait_for_an_answer() -> None:
    async def scene() -> None:
        admission = Admission(places=4)
        with admission.place(unasked, BULK, pictures=3):
            with pytest.raises(QueueFullError), admission.place(outlook, BULK):
                pytest.fail("the last place is not for bulk")
            with admission.place(unasked):
                assert admission.in_work == 4

    play(scene())


def test_bulk_is_served_where_there_is_one_place_only() -> None:
    async def scene() -> None:
        admission = Admission(places=1)
        with admission.place(unasked, BULK):
            assert admission.in_work == 1

    play(scene())


def test_bulk_finds_its_share_of_the_places_when_it_comes_back_to_a_full_service() -> None:
    async def scene() -> None:
        admission = Admission(places=16)
        with admission.place(unasked, pictures=14):
            with (
                admission.place(unasked, pictures=2),
                pytest.raises(QueueFullError),
                admission.place(outlook, BULK),
            ):
                pytest.fail("there was no place")
            with pytest.raises(QueueFullError), admission.place(outlook):
                pytest.fail("two places are for bulk")
            with admission.place(unasked, BULK), admission.place(unasked, BULK):
                assert admission.in_work == 16
                with pytest.raises(QueueFullError), admission.place(outlook, BULK):
                    pytest.fail("bulk has its share")

    play(scene())


def test_no_place_is_kept_for_bulk_that_does_not_come() -> None:
    async def scene() -> None:
        admission = Admission(places=16)
        with (
            admission.place(unasked, pictures=16),
            pytest.raises(QueueFullError),
            admission.place(outlook, BULK),
        ):
            pytest.fail("there was no place")
        await asyncio.sleep(60)
        with admission.place(unasked, pictures=16):
            assert admission.in_work == 16

    play(scene())


@pytest.mark.parametrize("places", [1, 2, 3, 4, 8, 16, 100])
def test_the_largest_request_finds_its_places_on_an_idle_service_whoever_asked_before(
    places: int,
) -> None:
    async def scene() -> None:
        admission = Admission(places)
        assert admission.largest >= 1
        with admission.place(unasked, BULK):
            assert admission.in_work == 1
        with admission.place(unasked, pictures=admission.largest):
            assert admission.in_work == admission.largest
        with admission.place(unasked, BULK, pictures=admission.largest):
            assert admission.in_work == admission.largest

    play(scene())


def test_no_place_is_kept_for_bulk_that_it_is_not_enough_for() -> None:
    async def scene() -> None:
        admission = Admission(places=16)
        with admission.place(unasked, pictures=14):
            with pytest.raises(QueueFullError), admission.place(outlook, BULK, pictures=3):
                pytest.fail("two places are all that bulk has for itself")
            with admission.place(unasked, pictures=2):
                assert admission.in_work == 16

    play(scene())


@pytest.mark.parametrize(("deadline", "late_s"), [(2.5, 1.5), (0.5, 3.5), (3.999, 0.05)])
def test_what_cannot_end_in_time_is_refused_until_so_much_is_done_that_it_can(
    deadline: float, late_s: float
) -> None:
    async def scene() -> float:
        admission = Admission(places=1)
        with (
            pytest.raises(TooLateError) as refused,
            admission.place(outlook, Urgency(deadline)),
        ):
            pytest.fail("it would be late")
        assert admission.in_work == 0
        with admission.place(outlook, Urgency(deadline=4.0)):
            return refused.value.retry_after_s

    assert play(scene()) == pytest.approx(max(late_s, RefusedError.LEAST_S))
