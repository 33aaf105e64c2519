"""Weights of a network: those of training runs put together, and kept to train on from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras
import numpy as np

if TYPE_CHECKING:
    from pathlib import Path


def load(model: keras.Model, *paths: Path) -> None:
    """Fill a built model with the average of the weights that training runs kept.

    Runs of one descent lie in one valley, and its middle does better than either
    side (Wortsman et al., model soups, arXiv:2203.05482).
    """
    network = keras.Model(model.input, model.output["logits"], name=model.name)
    runs = []
    for path in paths:
        network.load_weights(path)
        runs.append(network.get_weights())
    network.set_weights([np.mean(parts, axis=0) for parts in zip(*runs, strict=True)])


def keep(model: keras.Model, path: Path) -> None:
    """Write the weights, without an optimizer's, for training to go on from."""
    keras.Model(model.input, model.output["logits"], name=model.name).save_weights(path)
