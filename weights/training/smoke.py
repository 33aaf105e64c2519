"""The smoke preset: the whole recipe in miniature, on pictures that it draws itself.

It proves that the road is open, not that it leads anywhere: a handful of steps,
small pictures, random weights. One run is interrupted and gone on with.
"""

from __future__ import annotations

from pathlib import Path

from weights import synthetic
from weights.training import steps
from weights.training.loop import Limits
from weights.training.recipe import Recipe


def smoke(recipe: Recipe, work: Path) -> bool:
    """Follow ``recipe`` in the folder ``work``, its first run with an interruption."""
    folders = steps.Folders(work / "data", work / "runs", work / "models")
    synthetic.write(folders.data)
    steps.follow(recipe, folders, Limits(epochs=1))
    return steps.follow(recipe, folders, Limits())
