"""A recipe: the runs that lead to the shipped models, read from a TOML file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from weights import efficientnet_lite
from weights.training.config import IMAGENET, RANDOM, Run

RECIPES = Path(__file__).parents[1] / "recipes"


class Publish(BaseModel):
    """Which runs' weights, averaged, become a model that leaves the workshop."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: Literal["classifier", "segmenter"]
    runs: tuple[str, ...] = Field(min_length=1)
    backbone: efficientnet_lite.Name = "lite0"
    evaluate: bool = True


class Recipe(BaseModel):
    """Runs in the order they are done, and what is published in the end."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: tuple[Run, ...] = Field(min_length=1)
    publish: tuple[Publish, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        before: dict[str, Run] = {}
        for run in self.run:
            if run.name in before:
                raise ValueError(f"two runs are called {run.name!r}")
            wanted = [(run.start, run.backbone)]
            wanted += [(teacher, run.teacher_backbone) for teacher in run.teachers]
            for name, backbone in wanted:
                if name not in (IMAGENET, RANDOM) and not Path(name).suffix:
                    _look_for(name, run.task, backbone, before, run.name)
            before[run.name] = run
        for publish in self.publish:
            for name in publish.runs:
                _look_for(name, publish.model, publish.backbone, before, "publishing")
        return self


def _look_for(
    name: str, task: str, backbone: efficientnet_lite.Name, before: Mapping[str, Run], who: str
) -> None:
    """Raise ``ValueError`` unless ``before`` holds such a run."""
    run = before.get(name)
    if run is None or run.task != task:
        raise ValueError(f"{who} needs {name!r}: no {task} before it")
    if run.backbone != backbone:
        raise ValueError(f"{who} needs {name!r}: it stands on {run.backbone}, not on {backbone}")


def read(path: Path) -> Recipe:
    """Read a recipe; raise ``ValueError`` that says what is wrong with it."""
    return Recipe.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
