"""The steps of a recipe, each done once: what is finished is skipped."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from weights import dataset, efficientnet_lite, release
from weights.training import backend, checkpoint
from weights.training.checkpoint import BEST, Folder
from weights.training.classifier_task import ClassifierTask
from weights.training.config import IMAGENET, RANDOM, Run
from weights.training.loop import Limits, train
from weights.training.recipe import Publish, Recipe
from weights.training.segmenter_task import SegmenterTask

RUNS = Path(__file__).parents[1] / "runs"
IMAGENET_WEIGHTS = "efficientnet_{}_imagenet.npz"

TASKS = {"classifier": ClassifierTask, "segmenter": SegmenterTask}


class RecipeChangedError(Exception):
    """A run was made, or begun, with other options than it has now."""


class Folders(NamedTuple):
    """Where pictures come from, and where runs and models go."""

    data: Path
    runs: Path = RUNS
    models: Path = release.MODELS

    def weights(self, name: str, backbone: efficientnet_lite.Name) -> Path | None:
        """Return the file behind a start's or a teacher's ``name``, `None` for random weights."""
        if name == RANDOM:
            return None
        if name == IMAGENET:
            return self.data / IMAGENET_WEIGHTS.format(backbone)
        return Path(name) if Path(name).suffix else self.runs / name / BEST


def do(run: Run, folders: Folders, limits: Limits, *, strict: bool) -> bool:
    """Begin a run or go on with it; return whether it is finished.

    With other options than before, ``strict`` raises `RecipeChangedError`; else
    it goes on with the new ones and says so.
    """
    folder = Folder(folders.runs / run.name)
    start = folders.weights(run.start, run.backbone)
    asked = (folders.weights(name, run.teacher_backbone) for name in run.teachers)
    teachers = tuple(filter(None, asked))
    told = checkpoint.told(run, start, teachers)
    changes = folder.changes(told)
    # Another backbone is another network: no run can go on with it.
    strict |= any(change.startswith("backbone") for change in changes)
    _look_at_changes(run.name, folder, changes, strict=strict)
    if folder.progress().finished(run):
        print(f"{run.name}: finished", flush=True)
        return True
    folder.path.mkdir(parents=True, exist_ok=True)
    folder.note(told)
    print(f"{run.name}: {run.task} from {run.start}", flush=True)
    backend.begin(run.seed, run.precision)
    task = TASKS[run.task](run, folders.data, teachers)
    return train(task, folder.path, start, limits)


def _look_at_changes(name: str, folder: Folder, changes: list[str], *, strict: bool) -> None:
    if not changes:
        return
    if strict:
        raise RecipeChangedError(
            f"{name} was told otherwise before ({'; '.join(changes)}): "
            f"remove {folder.path} to make it anew"
        )
    print(f"{name}: going on with other options: {'; '.join(changes)}", flush=True)


def follow(recipe: Recipe, folders: Folders, limits: Limits) -> bool:
    """Do all steps of a recipe in order; return whether all are finished.

    Raises `RecipeChangedError` for a run made with other options, and
    ``CalledProcessError`` when an export or an evaluation fails.
    """
    deadline = time.monotonic() + 60 * limits.minutes
    steps = len(recipe.run) + len(recipe.publish)
    for number, run in enumerate(recipe.run, 1):
        print(f"step {number} of {steps}: ", end="")
        left = limits._replace(minutes=(deadline - time.monotonic()) / 60)
        if not do(run, folders, left, strict=True):
            print(f"{run.name}: interrupted; the same command goes on", flush=True)
            return False
    for number, step in enumerate(recipe.publish, len(recipe.run) + 1):
        print(f"step {number} of {steps}: ", end="")
        publish(step, folders)
    return True


def publish(step: Publish, folders: Folders) -> None:
    """Export and evaluate a model, unless just these weights are published already."""
    weights = [folders.runs / name / BEST for name in step.runs]
    model = release.file(folders.models, step.model)
    receipt = weights[-1].with_name("published.json")
    if receipt.exists() and json.loads(receipt.read_text()) == _digests(*weights, model):
        print(f"{step.model}: published", flush=True)
        return
    print(f"{step.model}: export of {', '.join(step.runs)}", flush=True)
    places = ["--data", str(folders.data), "--models", str(folders.models)]
    told = ["--weights", *map(str, weights), "--backbone", step.backbone]
    _python("weights.export", step.model, *told, *places)
    if step.evaluate:
        _python("weights.evaluate", "--only", step.model, *places)
    receipt.write_text(json.dumps(_digests(*weights, model)), encoding="utf-8")


def _digests(*files: Path) -> list[str]:
    return [checkpoint.digest(file) for file in files if file.exists()]


def _python(module: str, *words: str) -> None:
    """Run a command of the workshop in its own process, on the backend that exports."""
    subprocess.run(  # noqa: S603 - our own words, no shell
        [sys.executable, "-m", module, *words],
        check=True,
        env={**os.environ, "KERAS_BACKEND": "tensorflow"},
    )


def default_folders() -> Folders:
    """Return the folders that are used when none are named."""
    return Folders(dataset.data_folder())
