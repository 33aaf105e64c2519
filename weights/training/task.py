"""A task: what differs between training one network and the other."""

from __future__ import annotations

from abc import ABC, abstractmethod

import keras

from weights.training.batches import Batches
from weights.training.config import Config
from weights.training.losses import Loss


class Task(ABC):
    """A network, its loss, its pictures and its judge."""

    config: Config

    @abstractmethod
    def model(self) -> keras.Model:
        """Build the network for any picture size, with random weights."""

    @abstractmethod
    def loss(self) -> Loss:
        """Return the loss on logits."""

    @abstractmethod
    def batches(self, epoch: int) -> Batches:
        """Return the batches of one epoch."""

    @abstractmethod
    def score(self, model: keras.Model, size: int) -> dict[str, float]:
        """Return figures on the validation fold; the first is to be raised."""


def with_logits(network: keras.Model) -> keras.Model:
    """Return ``network`` with its logits as the only output: the form that weights are kept in."""
    return keras.Model(network.input, network.output["logits"], name=network.name)
