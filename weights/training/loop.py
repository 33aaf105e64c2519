"""The loop: epoch after epoch, judged, kept and written down, until it is done."""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path
from typing import NamedTuple

import keras

from weights import efficientnet_lite
from weights.training import backend, optimizer
from weights.training.checkpoint import Folder, Progress
from weights.training.config import Config
from weights.training.optimizer import Averaged
from weights.training.task import Task, with_logits


class Limits(NamedTuple):
    """When to stop although there is more to do; the same command goes on later."""

    minutes: float = math.inf
    epochs: float = math.inf


ENDLESS = Limits()


def trainable(task: Task, start: Path | None) -> keras.Model:
    """Build the network with logits as its only output, pretrained and compiled.

    ``start`` holds ImageNet's tensors (``.npz``) or an earlier run's weights
    (``.h5``); without it the weights are random.
    """
    full = task.model()
    model = with_logits(full)
    if start is not None and start.suffix == ".npz":
        efficientnet_lite.load_imagenet(full, start)
    elif start is not None:
        model.load_weights(start)
    for layer in _frozen(model, task.config):
        layer.trainable = False
    model.compile(
        optimizer.build(task.config),
        task.loss(),
        run_eagerly=task.config.eager,
        jit_compile=backend.compiles() and not task.config.eager,
    )
    return model


def _frozen(model: keras.Model, config: Config) -> list[keras.Layer]:
    """List the layers that stay as they are.

    The first stages see the largest maps: leaving them saves nearly half the
    time, and edges and colours are much the same everywhere. A frozen batch norm
    uses its own statistics, which saves looking at the batch's.
    """
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    return [
        *efficientnet_lite.first_layers(model, config.freeze, config.architecture),
        *norms * config.frozen_norms,
    ]


def train(task: Task, folder: Path, start: Path | None, limits: Limits = ENDLESS) -> bool:
    """Train in ``folder`` until the run is finished or a limit is reached.

    A folder that holds a checkpoint is gone on with. Limits are looked at between
    epochs, so the last one may overrun its time. Returns whether the run is finished.
    """
    folder.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + 60 * limits.minutes
    training = Training(task, Folder(folder), start)
    done = 0
    while not training.finished and time.monotonic() < deadline and done < limits.epochs:
        training.epoch()
        done += 1
    return training.finished


class Training:
    """A run at work."""

    def __init__(self, task: Task, folder: Folder, start: Path | None) -> None:
        """Build the network and, if ``folder`` holds a checkpoint, bring it back."""
        self.task, self.folder = task, folder
        self.progress = folder.progress()
        # A checkpoint holds every weight: there is no need for those before it.
        self.model = trainable(task, start if self.progress.epoch == 0 else None)
        if self.progress.epoch > 0:
            folder.load(self.model)

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to do."""
        return self.progress.finished(self.task.config)

    def epoch(self) -> None:
        """Train one epoch, judge its averaged weights, write everything down."""
        config, number = self.task.config, self.progress.epoch
        size = config.size_of(number)
        grown = number > 0 and size > config.size_of(number - 1)
        if grown:
            # Traced for two sizes, TensorFlow's functions would take either as
            # unknown, which upsampling cannot use: each size gets its own.
            self.model.make_train_function(force=True)
            self.model.make_predict_function(force=True)
        print(f"epoch {number + 1} of {config.epochs}, {size} pixels", flush=True)
        started = time.monotonic()
        loss = self._fit(number)
        trained = time.monotonic()
        scores = self._judge(size, grown=grown)
        row: dict[str, object] = {
            "epoch": number,
            "size": size,
            "loss": round(loss, 4),
            **{name: round(figure, 4) for name, figure in scores.items()},
            "train_seconds": round(trained - started),
            "score_seconds": round(time.monotonic() - trained),
        }
        self.progress.epoch += 1
        self.folder.append(row)
        self.folder.save(self.model, self.progress)
        print(*(f"{key} {value}" for key, value in row.items()), sep="  ")
        print(remaining(config, self.progress, time.monotonic() - started), flush=True)

    def _fit(self, number: int) -> float:
        # A bar for a person who watches, a line for a log.
        verbose = 1 if sys.stdout.isatty() else 2
        batches = self.task.batches(number)
        backend.meet(self.model, batches)
        history = self.model.fit(batches, verbose=verbose, epochs=1, shuffle=False)
        return float(history.history["loss"][-1])

    def _judge(self, size: int, *, grown: bool) -> dict[str, float]:
        """Score the averaged weights; keep them if they are best."""
        with Averaged(self.model):
            scores = self.task.score(self.model, size)
            score = next(iter(scores.values()))
            # A larger size is a better judge: its first epoch always takes over. And
            # who learns from the validation fold cannot be judged by it: the last counts.
            first = grown or self.progress.best_epoch < 0
            if first or score > self.progress.best or not self.task.config.judged:
                self.progress.best, self.progress.best_epoch = score, self.progress.epoch
                self.folder.save_best(self.model)
        return scores


def remaining(config: Config, progress: Progress, seconds: float) -> str:
    """Say about how long the rest takes, if the last epoch took ``seconds``."""
    ahead = [config.size_of(epoch) for epoch in range(progress.epoch, config.epochs)]
    last = config.size_of(progress.epoch - 1)
    minutes = seconds / 60 * sum((size / last) ** 2 for size in ahead)
    return f"{len(ahead)} epochs to go, about {minutes:.0f} minutes"
