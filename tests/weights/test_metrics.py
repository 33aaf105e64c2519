"""Figures of merit, on arrays small enough to check by hand."""

from __future__ import annotations

import numpy as np
import pytest

from weights import metrics


def test_balanced_accuracy_averages_over_labels_not_pictures() -> None:
    targets, guesses = np.array([0, 0, 0, 0, 1]), np.array([0, 0, 0, 0, 0])
    assert metrics.balanced_accuracy(targets, guesses) == 0.5


def test_sensitivity_and_specificity_count_what_they_say() -> None:
    positive = np.array([True, True, True, False, False])
    flagged = np.array([True, True, False, True, False])
    assert metrics.sensitivity(positive, flagged) == pytest.approx(2 / 3)
    assert metrics.specificity(positive, flagged) == 0.5


def test_auc_counts_ties_one_half() -> None:
    positive = np.array([True, True, False, False])
    assert metrics.auc(positive, np.array([0.9, 0.8, 0.2, 0.1])) == 1
    assert metrics.auc(positive, np.array([0.5, 0.5, 0.5, 0.5])) == 0.5
    assert metrics.auc(positive, np.array([0.9, 0.3, 0.3, 0.1])) == pytest.approx(0.875)


def test_auc_without_both_kinds_is_not_a_number() -> None:
    assert np.isnan(metrics.auc(np.ones(3, bool), np.arange(3.0)))


def test_calibration_error_is_the_gap_between_sure_and_right() -> None:
    probabilities = np.array([[0.9, 0.1]] * 10)
    targets = np.array([0] * 6 + [1] * 4)
    assert metrics.expected_calibration_error(targets, probabilities) == pytest.approx(0.3)


def test_certainty_falls_into_the_last_bin() -> None:
    probabilities = np.array([[1.0, 0.0], [1.0, 0.0]])
    assert metrics.expected_calibration_error(np.array([0, 0]), probabilities) == 0


def test_overlap_measures_agree_with_a_pencil() -> None:
    masks = np.array([[[1, 1], [0, 0]], [[0, 0], [0, 0]]], bool)
    guesses = np.array([[[1, 0], [1, 0]], [[0, 0], [0, 0]]], bool)
    assert metrics.dice(masks, guesses).tolist() == [0.5, 1.0]
    assert metrics.jaccard(masks, guesses).tolist() == [pytest.approx(1 / 3), 1.0]


def test_a_jaccard_below_the_threshold_counts_nothing() -> None:
    assert metrics.thresholded(np.array([0.64, 0.65, 0.9])).tolist() == [0.0, 0.65, 0.9]


def test_the_interval_draws_whole_lesions() -> None:
    values = np.array([0.0] * 50 + [1.0] * 50)

    def mean(chosen: np.ndarray) -> float:
        return float(values[chosen].mean())

    singly = metrics.interval(mean, metrics.draws([str(k) for k in range(100)]))
    as_two_lesions = metrics.interval(mean, metrics.draws(["left"] * 50 + ["right"] * 50))
    assert 0.3 < singly[0] < 0.5 < singly[1] < 0.7
    assert as_two_lesions == (0.0, 1.0)


def test_every_draw_holds_all_pictures_of_as_many_lesions() -> None:
    lesions = ["a", "b", "a", "c", "a"]
    for chosen in metrics.draws(lesions, count=50):
        places, times = np.unique(chosen, return_counts=True)
        often = dict(zip(places.tolist(), times.tolist(), strict=True))
        assert often.get(0) == often.get(2) == often.get(4)
        assert often.get(0, 0) + often.get(1, 0) + often.get(3, 0) == 3


def test_draws_are_the_same_twice_and_others_with_another_seed() -> None:
    lesions = [str(k) for k in range(20)]
    once, again = metrics.draws(lesions, count=3), metrics.draws(lesions, count=3)
    assert np.array_equal(once, again)
    assert not np.array_equal(once, metrics.draws(lesions, count=3, seed=8))


def test_draws_without_a_figure_are_left_out_of_its_interval() -> None:
    values = np.array([np.nan, 1.0])
    drawn = [np.array([0]), np.array([1]), np.array([1])]
    assert metrics.interval(lambda chosen: float(values[chosen][0]), drawn) == (1.0, 1.0)
    assert np.isnan(metrics.interval(lambda _: float("nan"), drawn)).all()


def test_a_bin_tells_how_sure_and_how_right_its_cases_were() -> None:
    came_true = np.array([True, False, True, True])
    bins = metrics.reliability(came_true, np.array([0.1, 0.3, 0.7, 0.9]), bins=2)
    assert [b.members.tolist() for b in bins] == [[0, 1], [2, 3]]
    assert [(b.low, b.high) for b in bins] == [(0, 0.5), (0.5, 1)]
    assert [b.sure for b in bins] == pytest.approx([0.2, 0.8])
    assert [b.right for b in bins] == [0.5, 1]


def test_an_empty_bin_is_neither_sure_nor_right() -> None:
    empty = metrics.reliability(np.array([True]), np.array([0.9]), bins=2)[0]
    assert np.isnan([empty.sure, empty.right]).all()


def test_the_area_below_the_roc_curve_is_the_auc() -> None:
    rng = np.random.default_rng(1)
    positive, scores = rng.random(200) < 0.3, rng.integers(0, 20, 200) / 20
    missed, found = metrics.roc(positive, scores)
    assert np.trapezoid(found, missed) == pytest.approx(metrics.auc(positive, scores))
    assert len(missed) == 1 + len(np.unique(scores))


def test_a_roc_curve_goes_from_nothing_to_everything() -> None:
    missed, found = metrics.roc(np.array([False, True, True]), np.array([0.2, 0.9, 0.1]))
    assert missed.tolist() == [0, 0, 1, 1]
    assert found.tolist() == [0, 0.5, 0.5, 1]


def test_none_of_twenty_leaves_room_for_one_in_six() -> None:
    # Clopper-Pearson for 0 of 20 and 20 of 20, as every table of it has them.
    assert metrics.unanimous(20, all_true=False) == pytest.approx((0, 0.1684), abs=1e-4)
    assert metrics.unanimous(20, all_true=True) == pytest.approx((0.8316, 1), abs=1e-4)
