"""Random augmented batches of one epoch, the same again for the same epoch."""

from __future__ import annotations

import keras
import numpy as np

from weights import augment
from weights.training.config import Config
from weights.training.pictures import Pool
from weights.training.teachers import Teachers


class Batches(keras.utils.PyDataset):  # type: ignore[misc] # Keras ships no types
    """What `fit` takes an epoch from; prepared by threads while the network works."""

    def __init__(self, config: Config, epoch: int) -> None:
        """Prepare the batches of ``epoch``; subclasses bring the pictures."""
        super().__init__(workers=config.workers, use_multiprocessing=False, max_queue_size=12)
        self.config = config
        self.epoch = epoch
        self.size = config.size_of(epoch)
        self.strength = augment.STRONG._replace(hair=config.hair, ruler=config.ruler)

    def __len__(self) -> int:
        """Batches an epoch."""
        return self.config.steps

    def rng(self, index: int) -> np.random.Generator:
        """Return the source of chance of one batch."""
        return np.random.default_rng((self.config.seed, self.epoch, index))


class ClassifierBatches(Batches):
    """Labels are drawn by a power of their number, then pictures.

    A small part comes from the centre crops, with the same share in every
    label: so neither the crops' look nor the frames' look tells the label.
    """

    def __init__(
        self,
        config: Config,
        epoch: int,
        frames: Pool,
        crops: Pool,
        shares: np.ndarray,
        teachers: Teachers | None = None,
    ) -> None:
        """Draw labels by ``shares`` (7 probabilities)."""
        super().__init__(config, epoch)
        self.frames, self.crops, self.shares, self.teachers = frames, crops, shares, teachers
        # Teachers see every pixel they were trained for; the network sees the same, smaller.
        self.drawn_size = max(self.size, teachers.size) if teachers else self.size

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Return pictures (float32, 0..255) and targets (float32 Nx7)."""
        rng = self.rng(index)
        labels = rng.choice(len(self.shares), self.config.batch, p=self.shares)
        drawn = self._draw(rng, labels)
        images = augment.pictures(rng, drawn, self.drawn_size, self.strength)
        images, targets = self._mix(rng, images, np.eye(len(self.shares), dtype=np.float32)[labels])
        if self.teachers is not None:
            share = np.float32(self.config.distill)
            targets = (1 - share) * targets + share * self._taught(self.teachers, rng, images)
        return augment.resized(images, self.size).astype(np.float32), targets

    def _taught(
        self, teachers: Teachers, rng: np.random.Generator, images: np.ndarray
    ) -> np.ndarray:
        # One by chance is, over many batches, the average of all in the time of one.
        asked = rng.integers(len(teachers.models), size=1) if self.config.one_teacher else None
        return teachers(images, asked)

    def _draw(self, rng: np.random.Generator, labels: np.ndarray) -> np.ndarray:
        pools = [
            self.crops if rng.random() < self.config.crop_share else self.frames for _ in labels
        ]
        return np.stack([pool.draw(rng, label) for pool, label in zip(pools, labels, strict=True)])

    def _mix(
        self, rng: np.random.Generator, images: np.ndarray, targets: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        chance = rng.random()
        if chance < self.config.cut_mix:
            return augment.cut_mix(rng, images, targets)
        if chance < self.config.cut_mix + self.config.mix_up:
            return augment.mix_up(rng, images, targets)
        return images, targets


class SegmenterBatches(Batches):
    """Pictures and their masks, drawn by their shares, none twice in a batch."""

    def __init__(
        self,
        config: Config,
        epoch: int,
        images: np.ndarray,
        masks: np.ndarray,
        shares: np.ndarray,
    ) -> None:
        """Draw from ``images`` (NxSxSx3) and ``masks`` (NxSxS), both uint8, by ``shares``."""
        super().__init__(config, epoch)
        self.images, self.masks, self.shares = images, masks, shares

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Return pictures (float32, 0..255) and masks (float32, 0..1, NxSxSx1)."""
        rng = self.rng(index)
        chosen = rng.choice(len(self.images), self.config.batch, replace=False, p=self.shares)
        images, masks = augment.pairs(
            rng, self.images[chosen], self.masks[chosen], self.size, self.strength
        )
        return images.astype(np.float32), masks[..., None].astype(np.float32) / 255
