"""Figures of merit: pure functions on arrays.

Balanced multiclass accuracy and thresholded Jaccard follow the ISIC challenges
(``isic-challenge-scoring``); `evaluate` takes the former from that package and
the tests compare both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

JACCARD_THRESHOLD = 0.65
"""Below it, the ISIC 2018 challenge counts a mask as failed."""


def balanced_accuracy(targets: np.ndarray, guesses: np.ndarray) -> float:
    """Average over the labels present of the share that was recognised."""
    return float(np.mean([np.mean(guesses[targets == k] == k) for k in np.unique(targets)]))


def sensitivity(positive: np.ndarray, flagged: np.ndarray) -> float:
    """Return the share of positive cases that were flagged."""
    return float(np.mean(flagged[positive])) if positive.any() else float("nan")


def specificity(positive: np.ndarray, flagged: np.ndarray) -> float:
    """Return the share of other cases that were not flagged."""
    return sensitivity(~positive, ~flagged)


def auc(positive: np.ndarray, scores: np.ndarray) -> float:
    """Return the area under the ROC curve; ties count one half.

    It is the chance that a random positive case scores above a random other.
    """
    cases, others = int(positive.sum()), int((~positive).sum())
    if not cases or not others:
        return float("nan")
    values, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks = (last - (counts - 1) / 2)[places] if len(values) else np.empty(0)
    return float((ranks[positive].sum() - cases * (cases + 1) / 2) / (cases * others))


def macro_auc(targets: np.ndarray, scores: np.ndarray) -> float:
    """Average the areas under the ROC curves, each label against the rest."""
    areas = [auc(targets == k, scores[:, k]) for k in range(scores.shape[1])]
    return float(np.mean(areas))


def expected_calibration_error(
    targets: np.ndarray, probabilities: np.ndarray, bins: int = 15
) -> float:
    """Average gap between how sure the model was and how often it was right.

    Pictures are binned by the probability of the label they were given; each
    of the ``bins`` equal bins weighs as many as it holds.
    """
    sure = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == targets
    place = np.minimum((sure * bins).astype(int), bins - 1)
    gaps = [
        abs(right[place == k].mean() - sure[place == k].mean()) * np.mean(place == k)
        for k in np.unique(place)
    ]
    return float(np.sum(gaps))


def _areas(masks: np.ndarray, guesses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the overlap and the sum of both areas, a number a picture each."""
    axes = tuple(range(1, masks.ndim))
    return (masks & guesses).sum(axis=axes), masks.sum(axis=axes) + guesses.sum(axis=axes)


def dice(masks: np.ndarray, guesses: np.ndarray) -> np.ndarray:
    """Return twice the overlap by the sum of areas, for each of N bool masks."""
    both, sizes = _areas(masks, guesses)
    return np.where(sizes > 0, 2 * both / np.maximum(sizes, 1), 1.0)


def jaccard(masks: np.ndarray, guesses: np.ndarray) -> np.ndarray:
    """Return overlap by union, for each of N bool masks."""
    both, sizes = _areas(masks, guesses)
    return np.where(sizes > 0, both / np.maximum(sizes - both, 1), 1.0)


def thresholded(jaccards: np.ndarray, least: float = JACCARD_THRESHOLD) -> np.ndarray:
    """Count a Jaccard index below ``least`` as nothing."""
    return np.where(jaccards >= least, jaccards, 0.0)


def interval(
    figure: Callable[[np.ndarray], float],
    lesions: Sequence[str],
    *,
    draws: int = 1000,
    seed: int = 7,
) -> tuple[float, float]:
    """Return a bootstrap 95 % interval that draws whole lesions.

    Pictures of one lesion resemble each other; drawing them singly would make
    the interval too narrow. ``figure`` takes the drawn pictures' places.
    """
    _, owners = np.unique(np.asarray(lesions), return_inverse=True)
    order = np.argsort(owners, kind="stable")
    members = np.split(order, np.cumsum(np.bincount(owners))[:-1])
    rng = np.random.default_rng(seed)
    figures = [
        figure(np.concatenate([members[k] for k in rng.integers(0, len(members), len(members))]))
        for _ in range(draws)
    ]
    low, high = np.nanquantile(figures, [0.025, 0.975])
    return float(low), float(high)
