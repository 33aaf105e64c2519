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

    singly = metrics.interval(mean, [str(k) for k in range(100)])
    as_two_lesions = metrics.interval(mean, ["left"] * 50 + ["right"] * 50)
    assert 0.3 < singly[0] < 0.5 < singly[1] < 0.7
    assert as_two_lesions == (0.0, 1.0)


def test_an_interval_says_the_same_twice() -> None:
    values = np.arange(20.0)

    def mean(chosen: np.ndarray) -> float:
        return float(values[chosen].mean())

    lesions = [str(k) for k in range(20)]
    assert metrics.interval(mean, lesions) == metrics.interval(mean, lesions)
