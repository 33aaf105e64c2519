"""Novelty: how unlike everything the model was taught a picture is.

The textures of dermoscopic pictures (`weights.classifier.Texture`) fill a
small cloud; a photograph of something else lies outside. Novelty is the
squared Mahalanobis distance from the cloud's middle (Lee et al.,
arXiv:1807.03888, with one cloud for all labels), divided by the number of
axes, so that it is about 1 at home.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

FLOOR = 1e-4
"""Axes along which the cloud is thinner than this share of the average count as this thick."""

FALSE_REFUSALS = 0.01
"""The share of good pictures that may be called novel."""


class Familiar(NamedTuple):
    """Where the known lies: ``mean`` (D) and ``whitening`` (D, D), both float32."""

    mean: np.ndarray
    whitening: np.ndarray

    def novelty(self, textures: np.ndarray) -> np.ndarray:
        """Return the novelty of textures (N, D): float, N; about 1 at home."""
        steps = (textures - self.mean) @ self.whitening
        novelties: np.ndarray = (steps**2).mean(axis=1)
        return novelties


def fit(textures: np.ndarray) -> Familiar:
    """Learn the cloud from training textures (N, D)."""
    mean = textures.mean(axis=0, dtype=np.float64)
    spread = textures.std(axis=0, dtype=np.float64) + 1e-6
    # Channels differ in size by orders: first each gets the same, then the axes do.
    correlation = np.cov((textures - mean) / spread, rowvar=False)
    thickness, axes = np.linalg.eigh(correlation)
    thickness = np.maximum(thickness, FLOOR * thickness.mean())
    whitening = axes / spread[:, None] / np.sqrt(thickness)
    return Familiar(mean.astype(np.float32), whitening.astype(np.float32))


def threshold(novelties: np.ndarray, false_refusals: float = FALSE_REFUSALS) -> float:
    """Find the value that at most ``false_refusals`` of good pictures exceed."""
    return float(np.quantile(novelties, 1 - false_refusals, method="higher"))
