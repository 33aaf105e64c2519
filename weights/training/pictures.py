"""Pictures in memory: to draw from while training, to judge by after an epoch."""

from __future__ import annotations

import keras
import numpy as np
from PIL import Image

from weights import dataset
from weights.classifier import LABELS

CACHE_SIZE = 224
"""Pixels a side in memory; every training size is sampled from it."""

VALIDATION_BATCH = 50


class Pool:
    """Pictures and their places in `LABELS`, ready to be drawn label by label."""

    def __init__(self, images: np.ndarray, targets: np.ndarray) -> None:
        """Keep ``images`` (uint8 NxSxSx3) and note where each label's lie."""
        self.images, self.targets = images, targets
        self.places = [np.flatnonzero(targets == label) for label in range(len(LABELS))]

    def draw(self, rng: np.random.Generator, label: int) -> np.ndarray:
        """Draw one picture of ``label``; raise ``ValueError`` if there is none."""
        picture: np.ndarray = self.images[rng.choice(self.places[label])]
        return picture


def shrunk(images: np.ndarray, size: int) -> np.ndarray:
    """Return uint8 pictures at ``size`` by the product's own resize."""
    if images.shape[1] == size:
        return images
    return np.stack([dataset.resize(Image.fromarray(image), size) for image in images])


def predict(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Run uint8 pictures through ``model``; return its logits, float32."""
    answers = [
        model.predict_on_batch(images[start : start + VALIDATION_BATCH].astype(np.float32))
        for start in range(0, len(images), VALIDATION_BATCH)
    ]
    return np.concatenate(answers).astype(np.float32)
