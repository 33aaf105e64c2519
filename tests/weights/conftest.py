"""Shared by the tests of the workshop: real networks, built once, and the data."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

# Said before TensorFlow is imported anywhere: no device hunt, no chatter.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

if TYPE_CHECKING:
    import keras


@pytest.fixture(scope="session")
def data() -> Path:
    """Return the training data's folder, or skip the test."""
    from weights import dataset  # noqa: PLC0415 - TensorFlow is slow to import

    folder = dataset.data_folder()
    if not (folder / "ham10000.csv").exists():
        pytest.skip(dataset.MISSING.format(folder))
    return folder


@pytest.fixture(scope="session")
def pictures() -> np.ndarray:
    """Three noisy pictures, uint8."""
    return np.random.default_rng(3).integers(0, 256, (3, 224, 224, 3), np.uint8)


def shaken(model: keras.Model) -> keras.Model:
    """Give batch statistics and biases values that would show a forgotten one."""
    rng = np.random.default_rng(5)
    for layer in model.layers:
        weights = layer.get_weights()
        if type(layer).__name__ == "BatchNormalization":
            layer.set_weights([w + rng.uniform(0.0, 0.3, w.shape).astype("f4") for w in weights])
        elif type(layer).__name__ == "Bias":
            layer.set_weights([rng.normal(0, 1, w.shape).astype("f4") for w in weights])
    return model


@pytest.fixture(scope="session")
def classifier_network() -> keras.Model:
    """Return the real classifier with random weights."""
    from weights import classifier  # noqa: PLC0415 - TensorFlow is slow to import

    return shaken(classifier.build(224))


@pytest.fixture(scope="session")
def segmenter_network() -> keras.Model:
    """Return the real segmenter with random weights."""
    from weights import segmenter  # noqa: PLC0415 - TensorFlow is slow to import

    return shaken(segmenter.build(224))
