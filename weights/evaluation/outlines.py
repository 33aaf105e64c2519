"""Figures about masks: how far the drawn and the found outline overlap."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from weights import metrics
from weights.classifier import LABELS
from weights.evaluation.sample import Sample, rounded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from weights.evaluation.sample import Estimate, Json

INSIDE = 0.5
"""A pixel at least this probable belongs to the outline."""

PERCENTILES = (1, 5, 10, 25, 50, 75, 90)


def raw(probability: np.ndarray, height: int, width: int) -> np.ndarray:
    """Cut a model's soft mask (float, S x S) at one half: bool, height x width."""
    enlarged = cv2.resize(probability, (width, height), interpolation=cv2.INTER_LINEAR)
    inside: np.ndarray = enlarged >= INSIDE
    return inside


def overlap(found: np.ndarray, drawn: np.ndarray) -> tuple[float, float]:
    """Compare two bool masks of one size: (Dice, Jaccard)."""
    pair = drawn[None], found[None]
    return float(metrics.dice(*pair)[0]), float(metrics.jaccard(*pair)[0])


def figures(overlaps: np.ndarray, labels: Sequence[str], lesions: Sequence[str]) -> Json:
    """Return the figures about N pictures' overlaps, (Dice, Jaccard) a row."""
    sample, (dices, jaccards) = Sample(lesions), overlaps.T
    return {
        **sample.size,
        "mean_dice": sample.mean(dices),
        **_jaccards(sample, jaccards),
        "jaccard_percentiles": {
            str(percent): rounded(float(np.percentile(jaccards, percent)))
            for percent in PERCENTILES
        },
        "labels": by_label(sample, jaccards, np.asarray(labels)),
    }


def by_label(sample: Sample, jaccards: np.ndarray, labels: np.ndarray) -> Json:
    """Return the figures of every label that occurs among ``labels`` (N)."""
    return {
        label: {
            "pictures": int(inside.sum()),
            **_jaccards(sample.among(inside), jaccards[inside]),
        }
        for label in LABELS
        if (inside := labels == label).any()
    }


def _jaccards(sample: Sample, jaccards: np.ndarray) -> dict[str, Estimate]:
    return {
        "mean_jaccard": sample.mean(jaccards),
        "thresholded_jaccard": sample.mean(metrics.thresholded(jaccards)),
        "share_below_threshold": sample.share(jaccards < metrics.JACCARD_THRESHOLD),
    }
