"""What the networks are asked to make small; all on logits."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
from keras import ops

from weights import classifier

Loss = Callable[[keras.KerasTensor, keras.KerasTensor], keras.KerasTensor]
"""From targets and logits to a number."""


def label_shares(targets: np.ndarray, power: float = 0.5) -> np.ndarray:
    """Return how often each label is drawn: by its number to ``power`` (7, sum 1).

    1 draws as the data is, 0 draws all labels alike; a label without pictures
    is never drawn.
    """
    counts = np.bincount(targets, minlength=len(classifier.LABELS))
    shares: np.ndarray = np.where(counts > 0, np.maximum(counts, 1) ** power, 0.0)
    shares /= shares.sum()
    return shares


def log_shares(shares: np.ndarray) -> np.ndarray:
    """Return the logarithms of ``shares``, float32, finite where a share is 0."""
    logs: np.ndarray = np.log(np.maximum(shares, 1e-6)).astype(np.float32)
    return logs


def adjusted_cross_entropy(shares: np.ndarray, smoothing: float) -> Loss:
    """Cross-entropy that adds the log of each label's share to its logit.

    The network then need not learn how common a label is, and its own logits
    favour none (Menon et al., logit adjustment, arXiv:2007.07314).
    """
    logs = log_shares(shares)
    inner = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)

    def loss(targets: keras.KerasTensor, logits: keras.KerasTensor) -> keras.KerasTensor:
        return inner(targets, logits + logs)

    return loss


def overlap_loss(masks: keras.KerasTensor, logits: keras.KerasTensor) -> keras.KerasTensor:
    """Binary cross-entropy plus soft Dice loss, averaged over the batch."""
    entropy = ops.mean(ops.binary_crossentropy(masks, logits, from_logits=True))
    inside = ops.sigmoid(logits)
    both = ops.sum(inside * masks, axis=(1, 2, 3))
    sizes = ops.sum(inside, axis=(1, 2, 3)) + ops.sum(masks, axis=(1, 2, 3))
    return entropy + ops.mean(1 - (2 * both + 1) / (sizes + 1))
