"""Figures of merit: pure functions on arrays.

Balanced multiclass accuracy and thresholded Jaccard follow the ISIC challenges
(``isic-challenge-scoring``); the evaluation takes the former from that package
and the tests compare both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

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


class Bin(NamedTuple):
    """What happened to the cases that were given a probability from ``low`` to ``high``."""

    low: float
    high: float
    members: np.ndarray
    """Places of the cases that fell into the bin: int, M."""

    sure: float
    """Their average probability; not a number when there is none."""

    right: float
    """The share of them that came true; not a number when there is none."""


def reliability(came_true: np.ndarray, probabilities: np.ndarray, bins: int = 15) -> list[Bin]:
    """Sort N cases into equal bins by what was said of them (N, 0..1; ``came_true`` bool N).

    A well calibrated model is right as often as it was sure, in every bin
    (Niculescu-Mizil & Caruana, ICML 2005).
    """
    places = np.minimum((probabilities * bins).astype(int), bins - 1)
    members = [np.flatnonzero(places == k) for k in range(bins)]
    return [_bin(k, bins, members[k], came_true, probabilities) for k in range(bins)]


def _bin(
    place: int, bins: int, members: np.ndarray, came_true: np.ndarray, probabilities: np.ndarray
) -> Bin:
    nothing = not len(members)
    return Bin(
        low=place / bins,
        high=(place + 1) / bins,
        members=members,
        sure=float("nan") if nothing else float(probabilities[members].mean()),
        right=float("nan") if nothing else float(came_true[members].mean()),
    )


def calibration_error(came_true: np.ndarray, probabilities: np.ndarray, bins: int = 15) -> float:
    """Average gap between said and happened over N cases (Naeini et al., AAAI 2015).

    Each of the ``bins`` equal bins weighs as many cases as it holds.
    """
    filled = [b for b in reliability(came_true, probabilities, bins) if len(b.members)]
    gaps = [abs(b.right - b.sure) * len(b.members) for b in filled]
    return float(np.sum(gaps)) / len(probabilities)


def expected_calibration_error(
    targets: np.ndarray, probabilities: np.ndarray, bins: int = 15
) -> float:
    """Return the `calibration_error` of the label that each picture was given."""
    right = probabilities.argmax(axis=1) == targets
    return calibration_error(right, probabilities.max(axis=1), bins)


def roc(positive: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the ROC curve of N cases: shares of others and of positives flagged, rising.

    One point a distinct score, from (0, 0) to (1, 1); the area below the
    straight lines between them is the `auc`.
    """
    order = np.argsort(-scores, kind="stable")
    hits, misses = np.cumsum(positive[order]), np.cumsum(~positive[order])
    last_of_ties = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    return (
        np.concatenate([[0.0], misses[last_of_ties] / max(misses[-1], 1)]),
        np.concatenate([[0.0], hits[last_of_ties] / max(hits[-1], 1)]),
    )


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


def draws(lesions: Sequence[str], count: int = 1000, seed: int = 7) -> list[np.ndarray]:
    """Draw whole lesions with replacement, ``count`` times: places of their pictures.

    Pictures of one lesion resemble each other; drawing them singly would make
    an interval too narrow.
    """
    _, owners = np.unique(np.asarray(lesions), return_inverse=True)
    order = np.argsort(owners, kind="stable")
    sizes = np.bincount(owners)
    rng = np.random.default_rng(seed)
    return [
        order[_runs(np.cumsum(sizes) - sizes, sizes, rng.integers(0, len(sizes), len(sizes)))]
        for _ in range(count)
    ]


def _runs(starts: np.ndarray, sizes: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Count on from the start of every chosen run, as far as it is long, one after the other."""
    lengths = sizes[chosen]
    ends = np.cumsum(lengths)
    shifts = starts[chosen] - (ends - lengths)
    runs: np.ndarray = np.repeat(shifts, lengths) + np.arange(ends[-1])
    return runs


def interval(
    figure: Callable[[np.ndarray], float], drawn: Sequence[np.ndarray]
) -> tuple[float, float]:
    """Return the bootstrap 95 % interval of a figure over what was drawn.

    ``figure`` takes the places of drawn pictures. Draws for which it is not a
    number are left out; both ends are not a number when none remains.
    """
    figures = np.array([figure(chosen) for chosen in drawn])
    defined = figures[~np.isnan(figures)]
    if not len(defined):
        return float("nan"), float("nan")
    low, high = np.quantile(defined, [0.025, 0.975])
    return float(low), float(high)


def unanimous(count: int, *, all_true: bool) -> tuple[float, float]:
    """Return the exact 95 % interval of a share when ``count`` cases all agree.

    A bootstrap can draw nothing but what it has: none of 20 would look
    certain. Clopper & Pearson (Biometrika 26:404, 1934) has a closed form here.
    """
    margin = 1 - 0.025 ** (1 / count)
    return (1 - margin, 1.0) if all_true else (0.0, margin)
