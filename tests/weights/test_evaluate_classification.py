"""Figures about labelled pictures, on answers that can be checked by eye."""

from __future__ import annotations

import numpy as np
import pytest

from weights import metrics
from weights.classifier import LABELS
from weights.evaluation import classification
from weights.evaluation.classification import Thresholds

MEL, NV, VASC = (LABELS.index(label) for label in ("mel", "nv", "vasc"))


def answers(*pairs: tuple[int, float]) -> np.ndarray:
    """One row a picture: a label and its probability, the rest on vasc."""
    rows = np.zeros((len(pairs), len(LABELS)))
    for row, (label, probability) in zip(rows, pairs, strict=True):
        row[label], row[VASC] = probability, 1 - probability
    return rows


# Three melanomas, of which one is only half seen, and three nevi, one taken for a melanoma.
TARGETS = np.array([MEL, MEL, MEL, NV, NV, NV])
PROBABILITIES = answers((MEL, 0.9), (MEL, 0.8), (MEL, 0.3), (NV, 0.9), (NV, 0.7), (MEL, 0.6))
NAMES = [f"lesion {k}" for k in range(6)]


@pytest.fixture(scope="module")
def figures() -> dict[str, object]:
    points = Thresholds(suspicious=0.25, melanoma=0.7)
    return classification.figures(TARGETS, PROBABILITIES, NAMES, points)


def value(figures: dict[str, object], *keys: str) -> float:
    found: object = figures
    for key in (*keys, "value"):
        assert isinstance(found, dict)
        found = found[key]
    assert isinstance(found, float)
    return found


def test_balanced_accuracy_is_that_of_the_challenges_own_package() -> None:
    guesses = PROBABILITIES.argmax(axis=1)
    ours = metrics.balanced_accuracy(TARGETS, guesses)
    assert classification.balanced_accuracy(TARGETS, PROBABILITIES) == pytest.approx(ours)


def test_suspicious_is_judged_by_the_threshold(figures: dict[str, object]) -> None:
    assert value(figures, "suspicious", "sensitivity") == 1
    assert value(figures, "suspicious", "specificity") == pytest.approx(2 / 3, abs=1e-4)
    assert value(figures, "suspicious", "precision") == 0.75


def test_melanoma_has_an_operating_point_of_its_own(figures: dict[str, object]) -> None:
    assert value(figures, "melanoma_point", "sensitivity") == pytest.approx(2 / 3, abs=1e-4)
    assert value(figures, "melanoma_point", "specificity") == 1


def test_a_model_without_a_melanoma_threshold_has_no_such_point() -> None:
    found = classification.figures(TARGETS, PROBABILITIES, NAMES, Thresholds(0.25))
    assert "melanoma_point" not in found
    assert Thresholds.of({"suspicious_threshold": "0.25"}) == Thresholds(0.25, None)


def test_a_label_that_does_not_occur_has_no_sensitivity(figures: dict[str, object]) -> None:
    labels = figures["labels"]
    assert isinstance(labels, dict)
    assert labels["df"]["pictures"] == 0
    assert labels["df"]["sensitivity"]["value"] is None
    assert labels["df"]["specificity"]["value"] == 1


def test_the_confusion_table_has_diagnoses_as_rows(figures: dict[str, object]) -> None:
    table = np.array(figures["confusion"])
    assert table[MEL].tolist() == [0, 0, 0, 0, 2, 0, 1]
    assert table[NV].tolist() == [0, 0, 0, 0, 1, 2, 0]
    assert table.sum() == 6


def test_reliability_leaves_out_bins_without_a_picture() -> None:
    found = classification.reliability(TARGETS, PROBABILITIES, NAMES)
    assert sum(entry["pictures"] for entry in found["label"]) == 6
    (surest,) = (entry for entry in found["malignant"] if entry["high"] == 0.9333)
    assert (surest["pictures"], surest["sure"], surest["right"]["value"]) == (1, 0.9, 1)
