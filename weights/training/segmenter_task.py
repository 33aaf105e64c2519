"""Training the segmenter: one mask, judged as the ISIC challenge judges."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import keras
import numpy as np

from weights import dataset, metrics, segmenter
from weights.training import losses, pictures
from weights.training.batches import Batches, SegmenterBatches
from weights.training.config import Config
from weights.training.pictures import CACHE_SIZE
from weights.training.task import Task


class SegmenterTask(Task):
    """Pictures and masks, those with a suspect mask left out."""

    def __init__(self, config: Config, data: Path, teachers: Sequence[Path] = ()) -> None:
        """Read pictures and masks into memory; raise ``ValueError`` for teachers."""
        if teachers:
            raise ValueError("teachers teach the classifier only")
        self.config = config
        known = dataset.ham10000(data, config.folds) + dataset.isic2017(data, "train")
        training = [picture for picture in known if not picture.mask_suspect]
        self.shares = drawn_shares([p.fold is None for p in training], config.hand_drawn)
        self.images = dataset.images(data, training, CACHE_SIZE)
        self.masks = dataset.masks(data, training, CACHE_SIZE)
        # Every second picture judges as well as all, in half the time.
        fold = dataset.ham10000(data, [dataset.VALIDATION_FOLD])
        validation = [picture for picture in fold if not picture.mask_suspect][::2]
        images = dataset.images(data, validation, CACHE_SIZE)
        self.validation_at = lru_cache(maxsize=1)(lambda size: pictures.shrunk(images, size))
        self.inside_at = lru_cache(maxsize=1)(
            lambda size: dataset.masks(data, validation, size) > dataset.MIDDLE
        )

    def model(self) -> keras.Model:
        """Build the segmenter."""
        return segmenter.build(None)

    def loss(self) -> losses.Loss:
        """Return cross-entropy plus Dice."""
        return losses.overlap_loss

    def batches(self, epoch: int) -> Batches:
        """Return an epoch of pictures with masks."""
        return SegmenterBatches(self.config, epoch, self.images, self.masks, self.shares)

    def score(self, model: keras.Model, size: int) -> dict[str, float]:
        """Return thresholded and mean Jaccard on every second picture of fold 3."""
        logits = pictures.predict(model, self.validation_at(size))[..., 0]
        overlap = metrics.jaccard(self.inside_at(size), logits > 0)
        return {
            "thresholded_jaccard": float(metrics.thresholded(overlap).mean()),
            "mean_jaccard": float(overlap.mean()),
        }


def drawn_shares(by_hand: Sequence[bool], share: float) -> np.ndarray:
    """Return each picture's chance (N, sum 1): hand-drawn masks ``share`` together."""
    hand = np.array(by_hand, dtype=bool)
    if hand.all() or not hand.any():
        return np.full(len(hand), 1 / len(hand))
    shares: np.ndarray = np.where(hand, share / hand.sum(), (1 - share) / (~hand).sum())
    return shares
