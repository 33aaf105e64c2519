"""Calibration: from logits to probabilities that mean what they say.

One temperature divides all logits (Guo et al., arXiv:1706.04599); an offset a
label says how common the label is where the model is used. Both, and the
threshold of ``suspicious``, are chosen on the validation fold and fixed before
the report fold is looked at.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from weights.classifier import LABELS, MALIGNANT

PRIOR_STRENGTH = 0.0
"""How much of the log of a label's frequency is added to its logit.

The network favours no label, which is best for balanced accuracy; adding all
of it would have the least negative log-likelihood and lose the rare labels. On
the validation fold a tenth gained nothing in calibration error and cost a
point and a half of balanced accuracy: none is added.
"""

SUSPICIOUS_SENSITIVITY = 0.93
"""What ``suspicious`` is asked to reach on the validation fold."""

MELANOMA_SENSITIVITY = 0.90
"""What the melanoma threshold is asked to reach on the validation fold."""

TEMPERATURES = np.geomspace(0.25, 5.0, 400)


class Calibration(NamedTuple):
    """What turns logits into an answer."""

    temperature: float = 1.0
    label_offsets: tuple[float, ...] = (0.0,) * len(LABELS)
    suspicious_threshold: float = 0.5
    melanoma_threshold: float = 0.5
    novelty_threshold: float = float("inf")

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Return calibrated probabilities, float64, in the logits' shape."""
        return softmax((logits + np.array(self.label_offsets)) / self.temperature)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Turn logits (…xlabels) into probabilities along the last axis."""
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    powers: np.ndarray = np.exp(shifted)
    powers /= powers.sum(axis=-1, keepdims=True)
    return powers


def negative_log_likelihood(probabilities: np.ndarray, targets: np.ndarray) -> float:
    """Average over pictures of -ln of the true label's probability."""
    chosen = probabilities[np.arange(len(targets)), targets]
    return float(-np.mean(np.log(np.maximum(chosen, 1e-12))))


def prior_offsets(targets: np.ndarray, strength: float = PRIOR_STRENGTH) -> np.ndarray:
    """Return ``strength`` times the log of each label's share among ``targets``."""
    counts = np.bincount(targets, minlength=len(LABELS))
    # Never seen counts as once: an offset must stay a number.
    offsets: np.ndarray = strength * np.log(np.maximum(counts, 1) / len(targets))
    return np.round(offsets, 4)


def fit_temperature(logits: np.ndarray, targets: np.ndarray) -> float:
    """Find the temperature with the least negative log-likelihood."""
    losses = [negative_log_likelihood(softmax(logits / t), targets) for t in TEMPERATURES]
    return float(TEMPERATURES[int(np.argmin(losses))])


def fit(logits: np.ndarray, targets: np.ndarray) -> Calibration:
    """Choose offsets, temperature and operating points on validation logits (Nx7)."""
    offsets = prior_offsets(targets)
    calibration = Calibration(
        temperature=fit_temperature(logits + offsets, targets),
        label_offsets=tuple(float(offset) for offset in offsets),
    )
    probabilities = calibration.probabilities(logits)
    melanoma = LABELS.index("mel")
    return calibration._replace(
        suspicious_threshold=threshold_for_sensitivity(
            malignant_probability(probabilities), is_malignant(targets), SUSPICIOUS_SENSITIVITY
        ),
        melanoma_threshold=threshold_for_sensitivity(
            probabilities[:, melanoma], targets == melanoma, MELANOMA_SENSITIVITY
        ),
    )


def malignant_probability(probabilities: np.ndarray) -> np.ndarray:
    """Add up the malignant labels' probabilities: N."""
    columns = [LABELS.index(label) for label in MALIGNANT]
    total: np.ndarray = probabilities[:, columns].sum(axis=1)
    return total


def is_malignant(targets: np.ndarray) -> np.ndarray:
    """Tell which targets are malignant labels: bool, N."""
    return np.isin(targets, [LABELS.index(label) for label in MALIGNANT])


def threshold_for_sensitivity(
    scores: np.ndarray, positive: np.ndarray, sensitivity: float
) -> float:
    """Find the highest threshold at which ``scores >= threshold`` is sensitive enough.

    Raises ``ValueError`` when there is no positive case to be sensitive to.
    """
    ranked = np.sort(scores[positive])[::-1]
    if len(ranked) == 0:
        message = "no positive case: a sensitivity cannot be chosen"
        raise ValueError(message)
    needed = int(np.ceil(sensitivity * len(ranked) - 1e-9))
    # Rounded down, so that the picture which set the threshold still reaches it.
    return float(np.floor(ranked[max(needed, 1) - 1] * 1e6) / 1e6)
