"""A recipe: the runs that lead to the shipped models, read from a TOML file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from weights.training.config import IMAGENET, RANDOM, Run

RECIPES = Path(__file__).parents[1] / "recipes"


class Publish(BaseModel):
    """Which runs' weights, averaged, become a model that leaves the workshop."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: Literal["classifier", "segmenter"]
    runs: tuple[str, ...] = Field(min_length=1)
    evaluate: bool = True


class Recipe(BaseModel):
    """Runs in the order they are done, and what is published in the end."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: tuple[Run, ...] = Field(min_length=1)
    publish: tuple[Publish, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        tasks: dict[str, str] = {}
        for run in self.run:
            if run.name in tasks:
                raise ValueError(f"two runs are called {run.name!r}")
            for name in (run.start, *run.teachers):
                known = name in (IMAGENET, RANDOM) or Path(name).suffix
                if not known and tasks.get(name) != run.task:
                    raise ValueError(f"{run.name} needs {name!r}: no {run.task} before it")
            tasks[run.name] = run.task
        for publish in self.publish:
            for name in publish.runs:
                if tasks.get(name) != publish.model:
                    raise ValueError(f"{name!r} is no run of the {publish.model}")
        return self


def read(path: Path) -> Recipe:
    """Read a recipe; raise ``ValueError`` that says what is wrong with it."""
    return Recipe.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
