"""Training follows its plan, and an interrupted run goes on where it was."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import keras
import numpy as np
import pytest

from weights import train

PLAN = train.Config(phases=(train.Phase(16, 2), train.Phase(32, 1)), batch=4, epoch_pictures=8)


def test_a_phase_is_read_from_the_command_line() -> None:
    args = train.arguments(["classifier", "--run", "try", "--phases", "128x8", "192x4"])
    assert args.phases == [train.Phase(128, 8), train.Phase(192, 4)]


def test_pictures_grow_as_the_phases_say() -> None:
    assert [PLAN.size_of(epoch) for epoch in range(4)] == [16, 16, 32, 32]


def test_common_labels_are_drawn_by_the_root_of_their_number() -> None:
    shares = train.label_shares(np.repeat(np.arange(7), [100, 25, 4, 4, 4, 4, 4]))
    assert shares[0] / shares[1] == pytest.approx(2)
    assert shares.sum() == pytest.approx(1)


def test_a_common_label_must_earn_no_less_logit_than_a_rare_one() -> None:
    shares = np.array([0.9, 0.1])
    loss = train.adjusted_cross_entropy(shares, smoothing=0.0)
    undecided = np.zeros((1, 2), np.float32)
    common = float(loss(np.array([[1.0, 0.0]], np.float32), undecided))
    rare = float(loss(np.array([[0.0, 1.0]], np.float32), undecided))
    assert common == pytest.approx(-np.log(0.9), abs=1e-5)
    assert rare == pytest.approx(-np.log(0.1), abs=1e-5)


def test_the_overlap_loss_falls_as_the_mask_fits() -> None:
    mask = np.zeros((1, 4, 4, 1), np.float32)
    mask[0, :2] = 1
    right, wrong = 20 * mask - 10, 10 - 20 * mask
    assert float(train.overlap_loss(mask, right)) < 0.01
    assert float(train.overlap_loss(mask, wrong)) > 5


def test_centre_crops_never_tell_the_label() -> None:
    frames = train.Pool(np.zeros((14, 8, 8, 3), np.uint8), np.repeat(np.arange(7), 2))
    crops = train.Pool(np.full((14, 8, 8, 3), 200, np.uint8), np.repeat(np.arange(7), 2))
    plan = train.Config(
        phases=(train.Phase(8, 1),), batch=700, epoch_pictures=700, cut_mix=0, crop_share=0.5
    )
    shares = np.full(7, 1 / 7)
    images, targets = train.ClassifierBatches(plan, 0, frames, crops, shares)[0]
    cropped = images.mean(axis=(1, 2, 3)) > 100
    assert [cropped[targets[:, k] == 1].mean() for k in range(7)] == pytest.approx(
        [0.5] * 7, abs=0.2
    )


class Tiny(train.Task):
    """A task of four pixels: which half of the square is brighter."""

    def __init__(self, config: train.Config) -> None:
        self.config = config

    def model(self) -> keras.Model:
        image = keras.Input((None, None, 3), name="image")
        x = keras.layers.Conv2D(4, 3, name="look")(image)
        # Smooth upsampling refuses a size that TensorFlow traced as unknown.
        x = keras.layers.UpSampling2D(2, interpolation="bilinear")(x)
        x = keras.layers.BatchNormalization(name="norm")(x)
        logits = keras.layers.GlobalAveragePooling2D(name="logits")(x)
        return keras.Model(image, {"logits": logits}, name="tiny")

    def loss(self) -> train.Loss:
        return train.adjusted_cross_entropy(np.full(4, 0.25), 0.0)

    def batches(self, epoch: int) -> train.Batches:
        frames = train.Pool(
            np.random.default_rng(epoch).integers(0, 256, (8, 16, 16, 3), np.uint8),
            np.repeat(np.arange(4), 2),
        )
        return train.ClassifierBatches(self.config, epoch, frames, frames, np.full(4, 0.25))

    def score(self, _model: keras.Model, size: int) -> dict[str, float]:
        return {"size": size / 100}


# Keras copies a TensorFlow variable in a way that NumPy 2 deprecates.
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning")
def test_an_interrupted_run_goes_on_where_it_was(tmp_path: Path) -> None:
    def states() -> list[int]:
        return [
            int(line.split(",")[0])
            for line in (tmp_path / "history.csv").read_text().splitlines()[1:]
        ]

    keras.utils.set_random_seed(1)
    train.run(Tiny(PLAN), tmp_path, None, minutes=0.0, patience=9)
    assert not (tmp_path / "history.csv").exists()
    short = dataclasses.replace(PLAN, phases=(train.Phase(16, 1),))
    train.run(Tiny(short), tmp_path, None, minutes=5, patience=9)
    assert states() == [0]
    train.run(Tiny(PLAN), tmp_path, None, minutes=5, patience=9)
    assert states() == [0, 1, 2]
    progress = json.loads((tmp_path / "progress.json").read_text())
    assert progress == {"epoch": 3, "best": 0.32, "best_epoch": 2}
    assert (tmp_path / "best.weights.h5").exists()


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning")
def test_an_epochs_end_leaves_the_weights_and_their_averages_apart() -> None:
    keras.utils.set_random_seed(1)
    model = train.trainable(Tiny(PLAN), None)
    model.fit(Tiny(PLAN).batches(0), verbose=0)
    raw = [keras.ops.convert_to_numpy(v.value) for v in model.trainable_variables]
    with train.Averaged(model):
        averages = [keras.ops.convert_to_numpy(v.value) for v in model.trainable_variables]
    assert not np.allclose(raw[0], averages[0], rtol=0, atol=1e-9)
