"""A task that trains in a moment: four labels, pictures of sixteen pixels."""

from __future__ import annotations

import keras
import numpy as np

from weights.training import losses
from weights.training.batches import Batches, ClassifierBatches
from weights.training.config import Config, Phase
from weights.training.pictures import Pool
from weights.training.task import Task

PLAN = Config(phases=(Phase(16, 2), Phase(32, 1)), batch=4, epoch_pictures=8)


def pool(size: int = 16, seed: int = 3) -> Pool:
    """Return two noisy pictures a label."""
    images = np.random.default_rng(seed).integers(0, 256, (8, size, size, 3), np.uint8)
    return Pool(images, np.repeat(np.arange(4), 2))


class Tiny(Task):
    """All that a real task has, chance in the network included."""

    def __init__(self, config: Config) -> None:
        self.config = config

    def model(self) -> keras.Model:
        image = keras.Input((None, None, 3), name="image")
        x = keras.layers.Conv2D(4, 3, name="look")(image)
        # Smooth upsampling refuses a size that TensorFlow traced as unknown.
        x = keras.layers.UpSampling2D(2, interpolation="bilinear")(x)
        x = keras.layers.BatchNormalization(name="norm")(x)
        x = keras.layers.Dropout(0.5, name="dropout")(x)
        logits = keras.layers.GlobalAveragePooling2D(name="logits", dtype="float32")(x)
        return keras.Model(image, {"logits": logits}, name="tiny")

    def loss(self) -> losses.Loss:
        return losses.adjusted_cross_entropy(np.full(4, 0.25), 0.0)

    def batches(self, epoch: int) -> Batches:
        frames = pool(seed=epoch)
        return ClassifierBatches(self.config, epoch, frames, frames, np.full(4, 0.25))

    def score(self, model: keras.Model, size: int) -> dict[str, float]:
        assert model.name == "tiny"
        return {"size": size / 100}
