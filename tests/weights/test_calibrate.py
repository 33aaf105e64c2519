"""Calibration makes probabilities mean what they say."""

from __future__ import annotations

import numpy as np
import pytest

from weights import calibrate

# Two of three right, and very sure of all three: overconfident.
LOGITS = np.array([[9.0, 0, 0, 0, 0, 0, 0], [0, 9, 0, 0, 0, 0, 0], [9, 0, 0, 0, 0, 0, 0]])
TARGETS = np.array([0, 1, 2])


def test_a_fitted_temperature_lowers_the_likelihoods_loss() -> None:
    temperature = calibrate.fit_temperature(LOGITS, TARGETS)
    assert temperature > 2
    before = calibrate.negative_log_likelihood(calibrate.softmax(LOGITS), TARGETS)
    after = calibrate.negative_log_likelihood(calibrate.softmax(LOGITS / temperature), TARGETS)
    assert after < before / 1.8


def test_temperature_changes_no_ranking() -> None:
    calibration = calibrate.Calibration(temperature=3.0)
    assert calibration.probabilities(LOGITS).argmax(axis=1).tolist() == [0, 1, 0]


def test_softmax_of_huge_logits_is_finite() -> None:
    assert calibrate.softmax(np.array([[1e4, 0.0]])).tolist() == [[1.0, 0.0]]


def test_a_common_label_can_be_given_a_small_head_start() -> None:
    counts = [94, 1, 1, 1, 1, 1, 1]
    offsets = calibrate.prior_offsets(np.repeat(np.arange(7), counts), strength=0.1)
    assert offsets[0] - offsets[1] == pytest.approx(0.1 * np.log(94), abs=1e-3)


def test_the_threshold_is_the_highest_that_is_sensitive_enough() -> None:
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.95])
    positive = np.array([True, True, True, True, False, False])
    assert calibrate.threshold_for_sensitivity(scores, positive, 0.75) == 0.7
    assert calibrate.threshold_for_sensitivity(scores, positive, 0.76) == 0.6


def test_a_threshold_without_a_positive_case_is_refused() -> None:
    with pytest.raises(ValueError, match="no positive case"):
        calibrate.threshold_for_sensitivity(np.ones(2), np.zeros(2, bool), 0.9)


def test_both_operating_points_reach_the_sensitivity_they_are_asked_for() -> None:
    rng = np.random.default_rng(3)
    targets = np.repeat(np.arange(7), 100)
    logits = rng.normal(0, 1, (700, 7)) + 2 * np.eye(7)[targets]
    fitted = calibrate.fit(logits, targets)
    probabilities = fitted.probabilities(logits)
    melanoma = probabilities[targets == 4, 4] >= fitted.melanoma_threshold
    malignant = calibrate.malignant_probability(probabilities)[calibrate.is_malignant(targets)]
    assert melanoma.mean() == calibrate.MELANOMA_SENSITIVITY
    assert np.mean(malignant >= fitted.suspicious_threshold) == calibrate.SUSPICIOUS_SENSITIVITY


def test_malignant_is_akiec_bcc_and_mel() -> None:
    probabilities = np.array([[0.1, 0.2, 0.0, 0.0, 0.3, 0.4, 0.0]])
    assert calibrate.malignant_probability(probabilities)[0] == pytest.approx(0.6)
    assert calibrate.is_malignant(np.arange(7)).tolist() == [
        True,
        True,
        False,
        False,
        True,
        False,
        False,
    ]
