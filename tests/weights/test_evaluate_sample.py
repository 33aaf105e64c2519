"""What is said about all such pictures follows from the sample, and from no more than it has."""

from __future__ import annotations

import numpy as np
import pytest

from weights import metrics
from weights.evaluation.sample import UNDEFINED, Sample

LESIONS = ["a", "a", "b", "c", "d"]


def test_an_estimate_stands_within_its_interval() -> None:
    found = Sample(LESIONS).mean(np.array([0.0, 0.2, 0.4, 0.6, 0.8]))
    assert found["value"] == 0.4
    assert found["low"] is not None
    assert found["high"] is not None
    assert 0 < found["low"] < 0.4 < found["high"] < 0.8


def test_a_share_that_all_agree_on_is_still_uncertain() -> None:
    found = Sample(LESIONS).share(np.zeros(5, bool))
    assert found == {"value": 0.0, "low": 0.0, "high": pytest.approx(0.6024, abs=1e-4)}


def test_a_rate_counts_only_among_whom_it_is_about() -> None:
    positive = np.array([True, True, True, False, False])
    flagged = np.array([True, True, False, True, True])
    assert Sample(LESIONS).rate(positive, flagged)["value"] == pytest.approx(2 / 3, abs=1e-4)


def test_a_rate_among_nobody_is_not_defined() -> None:
    assert Sample(LESIONS).rate(np.zeros(5, bool), np.ones(5, bool)) == UNDEFINED


def test_a_figure_that_is_not_a_number_becomes_none() -> None:
    found = Sample(LESIONS).estimate(metrics.auc, np.ones(5, bool), np.arange(5.0))
    assert found == UNDEFINED


def test_its_size_is_pictures_and_lesions() -> None:
    assert Sample(LESIONS).size == {"pictures": 5, "lesions": 4}
