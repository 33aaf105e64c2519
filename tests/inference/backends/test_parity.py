import numpy as np
import pytest

from services.inference.backends import parity
from services.inference.backends.parity import Answer

PROBABILITIES = np.array([[0.05, 0.05, 0.1, 0.0, 0.2, 0.6, 0.0]], np.float32)


def faults(reference: Answer, answer: Answer) -> tuple[str, ...]:
    return parity.compared([reference], [answer]).faults


def test_equal_answers_have_no_fault() -> None:
    same = {"probabilities": PROBABILITIES, "novelty": np.array([2.0])}
    assert parity.compared([same], [same]) == parity.Parity(
        {"probabilities": 0.0, "novelty": 0.0}, ()
    )


def test_a_probability_that_moves_too_far_is_a_fault() -> None:
    moved = PROBABILITIES + np.array([[0, 0, 0, 0, 0.1, -0.1, 0]], np.float32)
    (fault,) = faults({"probabilities": PROBABILITIES}, {"probabilities": moved})
    assert fault == "probabilities differs by 0.1, more than 0.08"


def test_another_label_is_a_fault_of_its_own() -> None:
    moved = PROBABILITIES[:, [0, 1, 2, 3, 5, 4, 6]]
    assert "a label differs" in faults({"probabilities": PROBABILITIES}, {"probabilities": moved})


def test_labels_that_were_about_as_probable_may_change_places() -> None:
    close = np.array([[0, 0, 0, 0, 0.48, 0.52, 0]], np.float32)
    assert not faults(
        {"probabilities": close}, {"probabilities": close[:, ::-1][:, [6, 5, 4, 3, 1, 2, 0]]}
    )


@pytest.mark.parametrize(("novelty", "sound"), [(3.1, True), (3.3, False), (2.7, False)])
def test_novelty_may_hardly_move_because_it_decides_what_is_judged(
    novelty: float, *, sound: bool
) -> None:
    found = faults({"novelty": np.array([3.0])}, {"novelty": np.array([novelty])})
    assert (not found) is sound


def test_masks_are_compared_by_dice() -> None:
    mask = np.zeros((1, 100, 100, 1), np.float32)
    mask[:, :50] = 1
    nearly, apart = np.roll(mask, 1, axis=1), np.roll(mask, 10, axis=1)
    assert not faults({"mask": mask}, {"mask": nearly})
    assert faults({"mask": mask}, {"mask": apart}) == ("mask differs by 0.2, more than 0.03",)
    assert not faults({"mask": mask * 0}, {"mask": mask * 0})


@pytest.mark.parametrize(
    "found", [np.array([[np.nan, 1.0]]), np.array([[1.0]]), None], ids=["nan", "shape", "missing"]
)
def test_what_cannot_be_compared_is_a_fault(found: np.ndarray | None) -> None:
    reference = {"embedding": np.array([[1.0, 1.0]])}
    answer = {} if found is None else {"embedding": found}
    assert faults(reference, answer) == ("embedding differs by inf, more than 0.25",)


def test_the_worst_of_the_pictures_counts() -> None:
    good = {"novelty": np.array([2.0])}
    bad = {"novelty": np.array([3.0])}
    found = parity.compared([good, good, good], [good, bad, good])
    assert found.differences == {"novelty": 0.5}
    assert len(found.faults) == 1
