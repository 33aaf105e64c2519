"""The command line of training.

``python -m weights.training classifier|segmenter --run NAME …`` does one run,
``python -m weights.training recipe`` all that lead to the shipped models. Either
goes on where it was interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any

from weights.training import backend, recipe, steps
from weights.training.config import Config, Run
from weights.training.loop import Limits
from weights.training.smoke import smoke

SMOKE = "smoke"


def parser() -> argparse.ArgumentParser:
    """Return the reader of the command line."""
    default = steps.default_folders()
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--data", type=Path, default=default.data, help="the pictures' folder")
    shared.add_argument("--runs", type=Path, default=default.runs, help="the runs' folder")
    shared.add_argument("--minutes", type=float, default=Limits().minutes, help="stop after them")
    shared.add_argument("--epochs", type=int, default=Limits().epochs, help="stop after so many")
    shared.add_argument("--threads", type=int, default=os.cpu_count(), help="of the network")
    _add_options(shared)
    whole = argparse.ArgumentParser(description=__doc__, prog="python -m weights.training")
    commands = whole.add_subparsers(dest="command", required=True)
    for task in sorted(steps.TASKS):
        single = commands.add_parser(task, parents=[shared], help=f"one run of the {task}")
        single.add_argument("--run", required=True, help="its name: a folder among the runs")
        single.add_argument("--start", help=Run.model_fields["start"].description)
    every = commands.add_parser("recipe", parents=[shared], help="all runs of a recipe")
    presets = sorted(path.stem for path in recipe.RECIPES.glob("*.toml"))
    every.add_argument("--preset", choices=presets, default="full")
    every.add_argument("--models", type=Path, default=default.models, help="the models' folder")
    every.add_argument("--work", type=Path, help=f"where --preset {SMOKE} leaves its files")
    return whole


def _add_options(reader: argparse.ArgumentParser) -> None:
    """Add every hyper-parameter; one that is not given keeps its default, or its recipe's word."""
    options = reader.add_argument_group("hyper-parameters")
    for name, field in Config.model_fields.items():
        kind: dict[str, Any] = {}
        if field.annotation is bool:
            kind = {"action": argparse.BooleanOptionalAction}
        elif str(field.annotation).startswith("tuple"):
            kind = {"nargs": "*"}
        options.add_argument(
            f"--{name.replace('_', '-')}",
            default=argparse.SUPPRESS,
            help=field.description,
            **kind,
        )


def options(args: argparse.Namespace) -> dict[str, Any]:
    """Return the hyper-parameters that were given."""
    return {name: value for name, value in vars(args).items() if name in Config.model_fields}


def single_run(args: argparse.Namespace) -> Run:
    """Return the run that the command line describes; ``ValueError`` says what is wrong."""
    start = {"start": args.start} if args.start else {}
    return Run.model_validate({"name": args.run, "task": args.command, **start, **options(args)})


def whole_recipe(args: argparse.Namespace) -> recipe.Recipe:
    """Return the preset, every run of it with the options that were given."""
    preset = recipe.read(recipe.RECIPES / f"{args.preset}.toml")
    runs = [run.model_dump() | options(args) for run in preset.run]
    return recipe.Recipe.model_validate({"run": runs, "publish": preset.publish})


def main(argv: Sequence[str] | None = None) -> int:
    """Train from the command line; 0 if finished, 3 if there is more to do."""
    args = parser().parse_args(argv)
    try:
        finished = _obey(args)
    except (ValueError, OSError, steps.RecipeChangedError, CalledProcessError) as error:
        print(f"training: {error}", file=sys.stderr)
        return 1
    return 0 if finished else 3


def _obey(args: argparse.Namespace) -> bool:
    backend.prepare(args.threads)
    limits = Limits(args.minutes, args.epochs)
    if args.command != "recipe":
        folders = steps.Folders(args.data, args.runs)
        return steps.do(single_run(args), folders, limits, strict=False)
    plan = whole_recipe(args)
    if args.preset != SMOKE:
        return steps.follow(plan, steps.Folders(args.data, args.runs, args.models), limits)
    if args.work:
        return smoke(plan, args.work)
    with tempfile.TemporaryDirectory(prefix="smoke-") as work:
        return smoke(plan, Path(work))


if __name__ == "__main__":
    sys.exit(main())
