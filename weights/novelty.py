"""Novelty: how much of a picture the model was never taught to see.

Embeddings of dermoscopic pictures lie near a subspace of few dimensions; a
photograph of something else sticks out of it. The novelty is what remains of
an embedding after its principal part is taken away (the residual of Wang et
al., ViM, arXiv:2203.10807), relative to what remains at home.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

AXES = 32


class Familiar(NamedTuple):
    """Where the known lies: ``mean`` (D), ``axes`` (D, k), and the usual ``remainder``."""

    mean: np.ndarray
    axes: np.ndarray
    remainder: float

    def novelty(self, embeddings: np.ndarray) -> np.ndarray:
        """Return the squared remainder of embeddings (N, D); about 1 at home."""
        return _remainder(embeddings - self.mean, self.axes) / self.remainder


def _remainder(steps: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """Return the squared length that orthonormal ``axes`` do not explain."""
    lengths: np.ndarray = (steps**2).sum(axis=1) - ((steps @ axes) ** 2).sum(axis=1)
    return lengths


def fit(embeddings: np.ndarray, count: int = AXES) -> Familiar:
    """Learn mean, principal axes and remainder from training embeddings (N, D)."""
    mean = embeddings.mean(axis=0, dtype=np.float64)
    steps = embeddings - mean
    _, directions = np.linalg.eigh(np.cov(steps, rowvar=False))
    axes = directions[:, ::-1][:, :count]
    remainder = float(_remainder(steps, axes).mean())
    return Familiar(mean.astype(np.float32), axes.astype(np.float32), remainder)


def threshold(novelties: np.ndarray, false_refusals: float = 0.01) -> float:
    """Find the value that at most ``false_refusals`` of good pictures exceed."""
    return float(np.quantile(novelties, 1 - false_refusals, method="higher"))
