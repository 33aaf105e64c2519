"""Training the classifier: seven labels, judged by balanced accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import keras
import numpy as np

from weights import calibrate, classifier, dataset, efficientnet_lite, metrics
from weights.training import losses, pictures
from weights.training.batches import Batches, ClassifierBatches
from weights.training.config import Config
from weights.training.pictures import CACHE_SIZE, Pool
from weights.training.task import Task, with_logits
from weights.training.teachers import Teachers


class ClassifierTask(Task):
    """Label-balanced batches of frames and centre crops."""

    def __init__(self, config: Config, data: Path, teachers: Sequence[Path] = ()) -> None:
        """Read the pictures of the run's folds, of ISIC 2017 and of fold 3 into memory."""
        self.config = config
        frames = dataset.ham10000(data, config.folds) + dataset.isic2017(data, "train")
        crops = [picture for picture in frames if picture.has_centercrop]
        self.frames = Pool(dataset.images(data, frames, CACHE_SIZE), dataset.targets(frames))
        self.crops = Pool(dataset.center_crops(data, crops, CACHE_SIZE), dataset.targets(crops))
        self.shares = losses.label_shares(self.frames.targets, config.balance)
        self.teachers = self._teachers(teachers) if teachers else None
        validation = dataset.ham10000(data, [dataset.VALIDATION_FOLD])
        images = dataset.images(data, validation, CACHE_SIZE)
        self.validation_targets = dataset.targets(validation)
        self.validation_at = lru_cache(maxsize=1)(lambda size: pictures.shrunk(images, size))

    def _teachers(self, paths: Sequence[Path]) -> Teachers:
        config = self.config
        architecture = efficientnet_lite.ARCHITECTURES[config.teacher_backbone]
        return Teachers.load(
            paths,
            lambda: with_logits(classifier.build(None, architecture)),
            self.shares,
            config.teacher_size,
            config.teacher_temperature,
        )

    def model(self) -> keras.Model:
        """Build the classifier on the run's backbone."""
        return classifier.build(None, self.config.architecture)

    def loss(self) -> losses.Loss:
        """Return the logit-adjusted cross-entropy."""
        return losses.adjusted_cross_entropy(self.shares, self.config.label_smoothing)

    def batches(self, epoch: int) -> Batches:
        """Return an epoch of label-balanced batches."""
        return ClassifierBatches(
            self.config, epoch, self.frames, self.crops, self.shares, self.teachers
        )

    def score(self, model: keras.Model, size: int) -> dict[str, float]:
        """Return balanced accuracy and macro AUC on fold 3."""
        logits: np.ndarray = pictures.predict(model, self.validation_at(size))
        targets = self.validation_targets
        return {
            "balanced_accuracy": metrics.balanced_accuracy(targets, logits.argmax(axis=1)),
            "macro_auc": metrics.macro_auc(targets, calibrate.softmax(logits)),
        }
