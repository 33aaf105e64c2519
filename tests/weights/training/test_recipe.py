"""A recipe is data: it is read, checked, and its finished steps are skipped."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from weights import release
from weights.training import checkpoint, recipe, steps
from weights.training.checkpoint import Folder, Progress
from weights.training.config import Run
from weights.training.loop import Limits

RUN = {"task": "classifier", "phases": ["32x1"]}


def made(*runs: dict[str, object], publish: tuple[dict[str, object], ...] = ()) -> recipe.Recipe:
    return recipe.Recipe.model_validate({"run": [RUN | run for run in runs], "publish": publish})


@pytest.mark.parametrize("path", sorted(recipe.RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_a_shipped_recipe_is_sound_and_publishes_both_models(path: Path) -> None:
    assert {step.model for step in recipe.read(path).publish} == {"classifier", "segmenter"}


def test_a_run_may_begin_only_with_what_is_there() -> None:
    made({"name": "small"}, {"name": "large", "start": "small"})
    made({"name": "small", "start": "elsewhere/best.weights.h5"})
    with pytest.raises(ValueError, match="no classifier before it"):
        made({"name": "large", "start": "small"}, {"name": "small"})
    with pytest.raises(ValueError, match="no classifier before it"):
        made({"name": "small", "task": "segmenter"}, {"name": "large", "start": "small"})
    with pytest.raises(ValueError, match="no classifier before it"):
        made({"name": "pupil", "teachers": ["nobody"]})


def test_a_misspelt_option_is_refused() -> None:
    with pytest.raises(ValueError, match="learning_rat"):
        made({"name": "small", "learning_rat": 1.0})


def test_only_a_run_of_the_recipe_is_published() -> None:
    with pytest.raises(ValueError, match="no segmenter before it"):
        made({"name": "small"}, publish=({"model": "segmenter", "runs": ["small"]},))


def test_what_follows_a_run_stands_on_its_backbone() -> None:
    small: dict[str, object] = {"name": "small", "backbone": "lite2"}
    published: dict[str, object] = {"model": "classifier", "runs": ["small"]}
    made(small, {"name": "large", "start": "small", "backbone": "lite2"})
    made(small, {"name": "pupil", "teachers": ["small"], "teacher_backbone": "lite2"})
    made(small, publish=(published | {"backbone": "lite2"},))
    with pytest.raises(ValueError, match="stands on lite2, not on lite0"):
        made(small, {"name": "large", "start": "small"})
    with pytest.raises(ValueError, match="stands on lite2, not on lite0"):
        made(small, {"name": "pupil", "teachers": ["small"]})
    with pytest.raises(ValueError, match="stands on lite2, not on lite0"):
        made(small, publish=(published,))


def finished(folders: steps.Folders, run: Run, start: Path | None) -> Folder:
    """Leave a folder as a finished run does."""
    folder = Folder(folders.runs / run.name)
    folder.path.mkdir(parents=True)
    folder.best.write_bytes(b"weights")
    (folder.path / "progress.json").write_text('{"epoch": 1, "best": 0.5, "best_epoch": 0}')
    folder.note(checkpoint.told(run, start, ()))
    return folder


def test_a_finished_run_is_skipped_and_a_changed_one_refused(tmp_path: Path) -> None:
    folders = steps.Folders(tmp_path / "no data", tmp_path / "runs", tmp_path / "models")
    plan = made({"name": "small", "start": "random"})
    finished(folders, plan.run[0], None)
    assert steps.follow(plan, folders, Limits())
    changed = made({"name": "small", "start": "random", "learning_rate": 0.5})
    with pytest.raises(steps.RecipeChangedError, match=r"learning_rate was 0.001, is 0.5"):
        steps.follow(changed, folders, Limits())
    assert steps.follow(made({"name": "small", "start": "random", "workers": 9}), folders, Limits())


def test_a_run_is_out_of_date_when_what_it_began_with_was_made_anew(tmp_path: Path) -> None:
    folders = steps.Folders(tmp_path / "no data", tmp_path / "runs", tmp_path / "models")
    plan = made({"name": "small", "start": "random"}, {"name": "large", "start": "small"})
    small = finished(folders, plan.run[0], None)
    finished(folders, plan.run[1], small.best)
    assert steps.follow(plan, folders, Limits())
    small.best.write_bytes(b"other weights")
    with pytest.raises(steps.RecipeChangedError, match="start_sha256"):
        steps.follow(plan, folders, Limits())


def test_a_run_from_before_options_were_written_down_is_taken_as_it_is(tmp_path: Path) -> None:
    folders = steps.Folders(tmp_path / "no data", tmp_path / "runs", tmp_path / "models")
    plan = made({"name": "small", "start": "random"})
    folder = finished(folders, plan.run[0], None)
    (folder.path / "made_with.json").unlink()
    assert steps.follow(plan, folders, Limits())


def test_an_option_that_is_younger_than_a_run_had_its_default_then(tmp_path: Path) -> None:
    folders = steps.Folders(tmp_path / "no data", tmp_path / "runs", tmp_path / "models")
    plan = made({"name": "small", "start": "random"})
    folder = finished(folders, plan.run[0], None)
    record = folder.path / "made_with.json"
    old = json.loads(record.read_text())
    assert old.pop("weight_decay") == 1e-4
    record.write_text(json.dumps(old))
    assert steps.follow(plan, folders, Limits())
    changed = made({"name": "small", "start": "random", "weight_decay": 0.5})
    with pytest.raises(steps.RecipeChangedError, match=r"weight_decay was 0.0001, is 0.5"):
        steps.follow(changed, folders, Limits())


def test_no_run_goes_on_with_another_backbone(tmp_path: Path) -> None:
    folders = steps.Folders(tmp_path / "no data", tmp_path / "runs", tmp_path / "models")
    run = made({"name": "small", "start": "random", "backbone": "lite2"}).run[0]
    finished(folders, run, None)
    other = run.model_copy(update={"backbone": "lite0"})
    with pytest.raises(steps.RecipeChangedError, match="backbone was lite2, is lite0"):
        steps.do(other, folders, Limits(), strict=False)


def test_what_is_published_already_is_not_exported_again(tmp_path: Path) -> None:
    folders = steps.Folders(tmp_path / "no data", tmp_path / "runs", tmp_path / "models")
    step = recipe.Publish(model="classifier", runs=("small",))
    weights = finished(folders, made({"name": "small", "start": "random"}).run[0], None).best
    model = release.file(folders.models, "classifier")
    model.parent.mkdir(parents=True)
    model.write_bytes(b"model")
    digests = [checkpoint.digest(weights), checkpoint.digest(model)]
    weights.with_name("published.json").write_text(json.dumps(digests))
    steps.publish(step, folders)
    weights.write_bytes(b"other weights")
    with pytest.raises(subprocess.CalledProcessError):
        steps.publish(step, folders)


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    from tests.weights.training.tiny import PLAN, Tiny  # noqa: PLC0415 - TensorFlow is slow
    from weights.training import loop  # noqa: PLC0415 - the same

    np.savez(tmp_path / "last.npz", np.zeros(3))
    (tmp_path / "progress.json").write_text('{"epoch": 1, "best": 0.5, "best_epoch": 0}')
    assert Folder(tmp_path).progress() == Progress(epoch=1, best=0.5, best_epoch=0)
    with pytest.raises(ValueError, match=r"shape|argument"):
        loop.train(Tiny(PLAN), tmp_path, None)
