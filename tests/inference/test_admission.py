import pytest

from services.inference.admission import Admission, QueueFullError


def test_a_picture_more_than_there_are_places_is_refused_and_told_when_to_come_back() -> None:
    admission = Admission(places=1)
    with admission.place(), pytest.raises(QueueFullError) as refused, admission.place():
        pytest.fail("there was no place")
    assert refused.value.retry_after_s > 0


def test_a_place_is_free_again_whatever_became_of_the_picture() -> None:
    admission = Admission(places=1)
    with pytest.raises(RuntimeError), admission.place():
        raise RuntimeError("the picture was bad")
    with admission.place():
        assert admission.in_work == 1
    assert admission.in_work == 0
