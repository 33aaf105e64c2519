"""Teachers: trained networks whose word becomes part of a run's targets.

Source: Hinton et al., Distilling the knowledge in a neural network, arXiv:1503.02531.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from threading import Lock

import keras
import numpy as np

from weights import augment, calibrate
from weights.training import losses


class Teachers:
    """Networks that answer together: the average of their probabilities."""

    def __init__(
        self, models: Sequence[keras.Model], shares: np.ndarray, size: int, temperature: float = 1.0
    ) -> None:
        """Ask ``models`` (logits out) at ``size`` pixels, softened by ``temperature``.

        Their logits favour no label, while the loss adds the log of each label's
        share to the network's; so the same is added here, and a network that
        answers as its teachers do has nothing left to learn from them.
        """
        self.models, self.size, self.temperature = models, size, temperature
        self.log_shares = losses.log_shares(shares)
        self._one_at_a_time = Lock()

    @classmethod
    def load(
        cls,
        paths: Sequence[Path],
        build: Callable[[], keras.Model],
        shares: np.ndarray,
        size: int,
        temperature: float,
    ) -> Teachers:
        """Build a network for each weights file of a run."""
        models = [build() for _ in paths]
        for model, path in zip(models, paths, strict=True):
            model.load_weights(path)
        return cls(models, shares, size, temperature)

    def __call__(self, images: np.ndarray, asked: Iterable[int] | None = None) -> np.ndarray:
        """Return probabilities (float32 Nx7) for pictures (0..255, any size).

        ``asked`` are the places of those that answer; `None` asks all.
        """
        models = self.models if asked is None else [self.models[place] for place in asked]
        pixels = augment.resized(images, self.size).astype(np.float32)
        # Batches are prepared by several threads, and a network is traced but once.
        with self._one_at_a_time:
            answers = [model.predict_on_batch(pixels) for model in models]
        softened = [
            calibrate.softmax((logits + self.log_shares) / self.temperature) for logits in answers
        ]
        average: np.ndarray = np.mean(softened, axis=0).astype(np.float32)
        return average
