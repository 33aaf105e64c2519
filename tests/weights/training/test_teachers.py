"""Teachers say what they know, and a network that agrees has nothing left to learn."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.weights.training.tiny import PLAN, Tiny, pool
from weights import calibrate
from weights.training import losses
from weights.training.batches import ClassifierBatches
from weights.training.config import Phase
from weights.training.task import with_logits
from weights.training.teachers import Teachers

# Keras copies a TensorFlow variable in a way that NumPy 2 deprecates.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't:DeprecationWarning"
)

SHARES = np.array([0.4, 0.3, 0.2, 0.1])


def certain(label: int) -> keras.Model:
    """Return a network that always says the same label, and what size it saw."""
    image = keras.Input((None, None, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(image)
    logits = keras.layers.Dense(4, kernel_initializer="zeros")(pooled)
    model = keras.Model(image, logits)
    model.layers[-1].bias.assign(8.0 * np.eye(4, dtype=np.float32)[label])
    return model


def test_targets_are_a_blend_of_the_labels_and_the_teachers_average() -> None:
    teachers = Teachers([certain(0), certain(2)], np.full(4, 0.25), size=16)
    plan = PLAN.model_copy(update={"distill": 0.5})
    frames = pool()
    _, targets = ClassifierBatches(plan, 0, frames, frames, np.full(4, 0.25), teachers)[0]
    _, plain = ClassifierBatches(plan, 0, frames, frames, np.full(4, 0.25))[0]
    expected = 0.5 * plain + 0.25 * (np.eye(4)[0] + np.eye(4)[2])
    assert targets == pytest.approx(expected, abs=2e-3)


def test_one_teacher_a_batch_is_over_many_batches_the_average_of_all() -> None:
    teachers = Teachers([certain(0), certain(2)], np.full(4, 0.25), size=16)
    plan = PLAN.model_copy(update={"distill": 1.0, "one_teacher": True})
    frames = pool()
    batches = ClassifierBatches(plan, 0, frames, frames, np.full(4, 0.25), teachers)
    answers = np.array([batches[index][1][0] for index in range(40)])
    word = answers.argmax(axis=1)
    assert answers.max(axis=1).min() > 0.99
    assert set(word) == {0, 2}
    assert answers.mean(axis=0)[[0, 2]] == pytest.approx([0.5, 0.5], abs=0.2)
    assert np.array_equal(batches[3][1], batches[3][1])


def test_a_network_that_answers_as_its_teacher_has_the_least_loss() -> None:
    network = certain(1)
    images = np.zeros((1, 16, 16, 3), np.uint8)
    targets = Teachers([network], SHARES, size=16)(images)
    loss = losses.adjusted_cross_entropy(SHARES, smoothing=0.0)
    same = network.predict_on_batch(images.astype(np.float32))
    least = float(loss(targets, same))
    for step in np.eye(4, dtype=np.float32):
        assert float(loss(targets, same + step)) > least
        assert float(loss(targets, same - step)) > least


def test_temperature_softens_the_teachers_word() -> None:
    images = np.zeros((1, 16, 16, 3), np.uint8)
    sharp, soft = (
        Teachers([certain(1)], np.full(4, 0.25), 16, temperature)(images).max()
        for temperature in (1.0, 4.0)
    )
    assert sharp == pytest.approx(calibrate.softmax(np.array([8.0, 0, 0, 0])).max(), abs=1e-5)
    assert soft == pytest.approx(calibrate.softmax(np.array([2.0, 0, 0, 0])).max(), abs=1e-5)


def test_teachers_see_their_own_size_and_the_network_its_own() -> None:
    seen = []

    class Watched(Teachers):
        def __call__(self, images: np.ndarray, asked: Iterable[int] | None = None) -> np.ndarray:
            seen.append(images.shape)
            return super().__call__(images, asked)

    teachers = Watched([certain(0)], np.full(4, 0.25), size=32)
    plan = PLAN.model_copy(update={"phases": (Phase(16, 1),)})
    images, _ = ClassifierBatches(plan, 0, pool(), pool(), np.full(4, 0.25), teachers)[0]
    assert images.shape == (4, 16, 16, 3)
    assert seen == [(4, 32, 32, 3)]


def test_a_teacher_is_read_from_a_runs_weights(tmp_path: Path) -> None:
    path = tmp_path / "best.weights.h5"
    network = with_logits(Tiny(PLAN).model())
    network.save_weights(path)
    build = lambda: with_logits(Tiny(PLAN).model())  # noqa: E731 - as a task does it
    images = pool().images
    got = Teachers.load([path], build, np.full(4, 0.25), 16, 1.0)(images)
    raw = network.predict_on_batch(images.astype(np.float32))
    assert got == pytest.approx(calibrate.softmax(raw), abs=1e-5)
