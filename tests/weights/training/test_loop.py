"""Training follows its plan, and an interrupted run goes on where it was."""

from __future__ import annotations

import json
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.weights.training.tiny import PLAN, Tiny
from weights.training import backend, loop
from weights.training.checkpoint import Folder, Progress
from weights.training.config import Config, Phase
from weights.training.optimizer import Averaged

# Keras copies a TensorFlow variable in a way that NumPy 2 deprecates.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't:DeprecationWarning"
)


def values(model: keras.Model) -> list[np.ndarray]:
    return [keras.ops.convert_to_numpy(variable.value) for variable in model.trainable_variables]


def epochs(folder: Path) -> list[int]:
    lines = (folder / "history.csv").read_text().splitlines()[1:]
    return [int(line.split(",")[0]) for line in lines]


def test_an_interrupted_run_ends_as_one_that_was_not(tmp_path: Path) -> None:
    for name, pieces in (("whole", [99]), ("pieces", [1, 1, 1])):
        for piece in pieces:
            backend.begin(PLAN.seed, PLAN.precision)
            done = loop.train(Tiny(PLAN), tmp_path / name, None, loop.Limits(epochs=piece))
        assert done
    with (
        np.load(tmp_path / "whole/last.npz") as whole,
        np.load(tmp_path / "pieces/last.npz") as not_,
    ):
        assert len(whole.files) == len(not_.files) > 10
        for name in whole.files:
            assert whole[name] == pytest.approx(not_[name], abs=1e-6), name
    assert epochs(tmp_path / "pieces") == epochs(tmp_path / "whole") == [0, 1, 2]


def test_a_run_writes_down_where_it_stands(tmp_path: Path) -> None:
    assert not loop.train(Tiny(PLAN), tmp_path, None, loop.Limits(minutes=0))
    assert not (tmp_path / "history.csv").exists()
    assert not loop.train(Tiny(PLAN), tmp_path, None, loop.Limits(epochs=1))
    state = json.loads((tmp_path / "progress.json").read_text())
    assert state == {"epoch": 1, "best": 0.16, "best_epoch": 0}
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "best.weights.h5",
        "history.csv",
        "last.npz",
        "progress.json",
    ]


def test_an_epochs_end_leaves_the_weights_and_their_averages_apart() -> None:
    backend.begin(1, "float32")
    model = loop.trainable(Tiny(PLAN), None)
    model.fit(Tiny(PLAN).batches(0), verbose=0)
    raw = values(model)
    with Averaged(model):
        averages = values(model)
    assert not np.allclose(raw[0], averages[0], rtol=0, atol=1e-9)
    assert np.array_equal(values(model)[0], raw[0])


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_half_precision_trains_the_same_weights_in_full(precision: str, tmp_path: Path) -> None:
    plan = PLAN.model_copy(update={"precision": precision, "phases": (Phase(16, 2),)})
    backend.begin(plan.seed, precision)
    try:
        assert loop.train(Tiny(plan), tmp_path, None, loop.Limits(epochs=1)) is False
        assert loop.train(Tiny(plan), tmp_path, None)
    finally:
        backend.begin(plan.seed, "float32")
    network = loop.trainable(Tiny(PLAN), tmp_path / "best.weights.h5")
    assert {variable.dtype for variable in network.trainable_variables} == {"float32"}
    assert all(np.isfinite(value).all() for value in values(network))


def test_weight_decay_makes_kernels_smaller_and_leaves_norms_alone() -> None:
    changes = []
    for decay in (0.0, 50.0):
        plan = PLAN.model_copy(update={"weight_decay": decay, "learning_rate": 1e-3})
        backend.begin(1, "float32")
        model = loop.trainable(Tiny(plan), None)
        model.fit(Tiny(plan).batches(0), verbose=0)
        kernel, _ = model.get_layer("look").get_weights()
        gamma = model.get_layer("norm").get_weights()[0]
        changes.append((float(np.square(kernel).sum()), gamma))
    (plain, gamma), (decayed, decayed_gamma) = changes
    assert decayed < 0.98 * plain
    assert decayed_gamma == pytest.approx(gamma, abs=5e-3)


def test_frozen_batch_norms_keep_their_statistics() -> None:
    frozen = PLAN.model_copy(update={"frozen_norms": True})
    for plan, moved in ((PLAN, True), (frozen, False)):
        backend.begin(1, "float32")
        model = loop.trainable(Tiny(plan), None)
        before = model.get_layer("norm").get_weights()
        model.fit(Tiny(plan).batches(0), verbose=0)
        after = model.get_layer("norm").get_weights()
        assert all(not np.array_equal(a, b) for a, b in zip(before, after, strict=True)) == moved


def test_a_run_that_gains_nothing_is_finished_when_patience_ends() -> None:
    plan = Config(phases=(Phase(16, 30),), patience=3)
    assert not Progress(epoch=5, best=0.5, best_epoch=2).finished(plan)
    assert Progress(epoch=6, best=0.5, best_epoch=2).finished(plan)
    assert Progress(epoch=30, best=0.5, best_epoch=29).finished(plan)
    all_folds = plan.model_copy(update={"folds": (0, 1, 2, 3)})
    assert not Progress(epoch=6, best=0.5, best_epoch=2).finished(all_folds)


def test_what_cannot_be_judged_keeps_its_last_weights(tmp_path: Path) -> None:
    class Worse(Tiny):
        def score(self, model: keras.Model, size: int) -> dict[str, float]:
            del model, size
            self.asked = getattr(self, "asked", 0) + 1
            return {"falling": 1 / self.asked}

    plan = PLAN.model_copy(update={"phases": (Phase(16, 2),)})
    for name, folds, best in (("judged", (0, 1, 2), 0), ("refit", (0, 1, 2, 3), 1)):
        loop.train(Worse(plan.model_copy(update={"folds": folds})), tmp_path / name, None)
        assert Folder(tmp_path / name).progress().best_epoch == best


def test_even_a_run_that_learns_nothing_leaves_weights(tmp_path: Path) -> None:
    class Hopeless(Tiny):
        def score(self, model: keras.Model, size: int) -> dict[str, float]:
            del model, size
            return {"nothing": 0.0}

    loop.train(Hopeless(PLAN), tmp_path, None, loop.Limits(epochs=1))
    assert (tmp_path / "best.weights.h5").exists()


def test_the_rest_is_reckoned_by_the_pixels() -> None:
    plan = Config(phases=(Phase(16, 2), Phase(32, 1)))
    assert loop.remaining(plan, Progress(epoch=1), 60) == "2 epochs to go, about 5 minutes"
