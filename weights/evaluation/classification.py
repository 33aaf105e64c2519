"""Figures about labelled pictures: how well they were told apart and how honest the numbers are.

Everywhere ``targets`` (int, N) are places in `LABELS` and ``probabilities``
(float, Nx7) what the classifier answered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd  # type: ignore[import-untyped] # comes with isic-challenge-scoring
from isic_challenge_scoring import metrics as isic

from weights import calibrate, metrics
from weights.classifier import LABELS
from weights.evaluation.sample import Sample, rounded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from weights.evaluation.sample import Json

MELANOMA = LABELS.index("mel")


class Thresholds(NamedTuple):
    """A classifier's declared operating points, chosen on fold 3."""

    suspicious: float
    melanoma: float | None = None

    @classmethod
    def of(cls, words: Mapping[str, str]) -> Thresholds:
        """Read them from a model's metadata, where the second may be missing."""
        melanoma = words.get("melanoma_threshold")
        return cls(float(words["suspicious_threshold"]), float(melanoma) if melanoma else None)


def balanced_accuracy(targets: np.ndarray, probabilities: np.ndarray) -> float:
    """Score as the ISIC challenges do, with their own package."""
    truth = pd.DataFrame(np.eye(len(LABELS))[targets], columns=list(LABELS))
    guesses = pd.DataFrame(probabilities, columns=list(LABELS))
    return float(
        isic.balanced_multiclass_accuracy(truth, guesses, pd.Series(np.ones(len(targets))))
    )


def figures(
    targets: np.ndarray, probabilities: np.ndarray, lesions: Sequence[str], thresholds: Thresholds
) -> Json:
    """Return every figure about a split; ``lesions`` name the pictures' lesions."""
    sample, guesses = Sample(lesions), probabilities.argmax(axis=1)
    return {
        **sample.size,
        "balanced_accuracy": {
            **sample.estimate(metrics.balanced_accuracy, targets, guesses),
            "value": rounded(balanced_accuracy(targets, probabilities)),
        },
        "accuracy": sample.share(guesses == targets),
        "macro_auc": sample.estimate(metrics.macro_auc, targets, probabilities),
        **_honesty(sample, targets, probabilities),
        "suspicious": suspicious(sample, targets, probabilities, thresholds.suspicious),
        "melanoma": _melanoma_as_label(sample, targets, probabilities),
        **_melanoma_point(sample, targets, probabilities, thresholds.melanoma),
        "labels": _labels(sample, targets, probabilities),
        "confusion": confusion(targets, guesses),
    }


def _honesty(sample: Sample, targets: np.ndarray, probabilities: np.ndarray) -> Json:
    """Return how well the probabilities keep what they promise."""
    malignant = calibrate.is_malignant(targets)
    summed = calibrate.malignant_probability(probabilities)
    return {
        "expected_calibration_error": sample.estimate(
            metrics.expected_calibration_error, targets, probabilities
        ),
        "malignant_calibration_error": sample.estimate(
            metrics.calibration_error, malignant, summed
        ),
        "malignant_brier_score": sample.mean((summed - malignant) ** 2),
        "negative_log_likelihood": sample.estimate(
            lambda t, p: calibrate.negative_log_likelihood(p, t), targets, probabilities
        ),
    }


def suspicious(
    sample: Sample, targets: np.ndarray, probabilities: np.ndarray, threshold: float
) -> Json:
    """Return the figures of the operating point ``suspicious``."""
    malignant = calibrate.is_malignant(targets)
    summed = calibrate.malignant_probability(probabilities)
    flagged = summed >= threshold
    return {
        "sensitivity": sample.rate(malignant, flagged),
        "specificity": sample.rate(~malignant, ~flagged),
        "melanoma_sensitivity": sample.rate(targets == MELANOMA, flagged),
        "precision": sample.rate(flagged, malignant),
        "auc": sample.estimate(metrics.auc, malignant, summed),
    }


def _melanoma_as_label(sample: Sample, targets: np.ndarray, probabilities: np.ndarray) -> Json:
    """Return the figures of melanoma as the most probable label."""
    melanoma, called = targets == MELANOMA, probabilities.argmax(axis=1) == MELANOMA
    return {
        "sensitivity": sample.rate(melanoma, called),
        "specificity": sample.rate(~melanoma, ~called),
        "auc": sample.estimate(metrics.auc, melanoma, probabilities[:, MELANOMA]),
    }


def _melanoma_point(
    sample: Sample, targets: np.ndarray, probabilities: np.ndarray, threshold: float | None
) -> Json:
    """Return the figures of melanoma's own operating point, where one is declared."""
    if threshold is None:
        return {}
    melanoma, flagged = targets == MELANOMA, probabilities[:, MELANOMA] >= threshold
    return {
        "melanoma_point": {
            "sensitivity": sample.rate(melanoma, flagged),
            "specificity": sample.rate(~melanoma, ~flagged),
            "precision": sample.rate(flagged, melanoma),
        }
    }


def _labels(sample: Sample, targets: np.ndarray, probabilities: np.ndarray) -> Json:
    """Return sensitivity, specificity and AUC of each label against the rest."""
    guesses = probabilities.argmax(axis=1)
    return {
        label: {
            "pictures": int(np.sum(targets == k)),
            "sensitivity": sample.rate(targets == k, guesses == k),
            "specificity": sample.rate(targets != k, guesses != k),
            "auc": sample.estimate(metrics.auc, targets == k, probabilities[:, k]),
        }
        for k, label in enumerate(LABELS)
    }


def confusion(targets: np.ndarray, guesses: np.ndarray) -> list[list[int]]:
    """Count pictures: rows are the diagnosis, columns the label given."""
    table = np.zeros((len(LABELS), len(LABELS)), dtype=int)
    np.add.at(table, (targets, guesses), 1)
    return [[int(count) for count in row] for row in table]


def reliability(
    targets: np.ndarray, probabilities: np.ndarray, lesions: Sequence[str]
) -> dict[str, list[Json]]:
    """Return both reliability diagrams as bins: of the label given, and of malignancy."""
    sample, guesses = Sample(lesions), probabilities.argmax(axis=1)
    summed = calibrate.malignant_probability(probabilities)
    return {
        "label": _bins(sample, guesses == targets, probabilities.max(axis=1)),
        "malignant": _bins(sample, calibrate.is_malignant(targets), summed),
    }


def _bins(sample: Sample, came_true: np.ndarray, probabilities: np.ndarray) -> list[Json]:
    """Describe the bins that hold a picture; ``right`` is bootstrapped within its bin."""
    described = []
    for filled in metrics.reliability(came_true, probabilities):
        if not len(filled.members):
            continue
        inside = np.isin(np.arange(len(came_true)), filled.members)
        described.append(
            {
                "low": rounded(filled.low),
                "high": rounded(filled.high),
                "pictures": len(filled.members),
                "sure": rounded(filled.sure),
                "right": sample.among(inside).share(came_true[inside]),
            }
        )
    return described
