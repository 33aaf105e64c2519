"""Every backend that the machine has, side by side: both models, and a picture through both.

Each candidate runs the same pictures in turns with ONNX Runtime in fp32, with one run at a time
and with as many as cores, and is compared with it on all of them; then the election is held as
the service holds it.

    python -m benchmarks.backends       writes benchmarks/results/backends.json and the tables
"""

import argparse
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import machine, tables
from services.inference import imaging, model_file, repository
from services.inference.backends import parity, trial
from services.inference.backends.backend import Backend, Tensor, named
from services.inference.backends.candidate import CANDIDATES, REFERENCE, Candidate
from services.inference.backends.election import Election
from services.inference.backends.layout import Layout
from services.inference.model_file import ModelError, ModelFile
from services.inference.settings import available_cores
from tests import specimens

MODELS = ("segmenter", "classifier")


@dataclass(frozen=True, slots=True)
class Open:
    """A candidate that runs one or more models: those that a picture goes through.

    Attributes:
        backends: in the order of the models.
        inputs: for each model one batch of one picture each.

    """

    backends: Sequence[Backend]
    inputs: Sequence[Sequence[Tensor]]

    def run(self, picture: int) -> None:
        """Run a picture through the models, one after the other."""
        for backend, batches in zip(self.backends, self.inputs, strict=True):
            backend.run(batches[picture % len(batches)])

    def rate(self, runs: int, pictures: int) -> float:
        """Return pictures a second with so many runs at a time."""
        with ThreadPoolExecutor(runs) as threads:
            began = time.perf_counter()
            list(threads.map(self.run, range(pictures)))
            return pictures / (time.perf_counter() - began)


def main() -> None:
    """Measure, write the result, render the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9, help="turns of each candidate")
    parser.add_argument("--pictures", type=int, default=12, help="pictures a turn")
    arguments = parser.parse_args()
    model_dir = machine.served()
    found = measured(model_dir, arguments.rounds, arguments.pictures)
    machine.write("backends", found, models=model_dir)
    tables.render()


def measured(model_dir: Path, rounds: int, pictures: int) -> dict[str, Any]:
    """Run every candidate that can be opened, turn by turn.

    Args:
        model_dir: holds the models; the stable version of each is measured.
        rounds: turns of each candidate.
        pictures: in a turn.

    Returns:
        For each model, and for both, by candidate: pictures a second alone and side by side,
        the ratios to the reference, and by output the largest difference from it; then what
        the service would choose.

    """
    files = {
        name: model_file.read(repository.stable(model_dir, name) / "model.onnx") for name in MODELS
    }
    cores = available_cores()
    opened: dict[str, dict[Candidate, Open]] = {name: {} for name in files}
    missing: dict[str, str] = {}
    for each in CANDIDATES:
        try:
            for name, file in files.items():
                opened[name][each] = _open(each, file, Layout(cores, 1), pictures)
        except ModelError as error:
            missing[str(each)] = str(error)
            for name in files:
                opened[name].pop(each, None)
    units = {**opened, "both": _both(opened)}
    return {
        "pictures": "drawn, 600 x 450, as the models take them",
        "pictures_a_candidate": rounds * pictures,
        "runs_side_by_side": cores,
        "candidates": {
            unit: _compared(candidates, cores, rounds, pictures)
            for unit, candidates in units.items()
        },
        "differences": {name: _differences(candidates) for name, candidates in opened.items()},
        "not_here": missing,
        "elected": elected(files),
    }


def elected(files: dict[str, ModelFile]) -> dict[str, Any]:
    """Hold the elections as the service does, and say how long that took."""
    began = time.perf_counter()
    layout = trial.measured(list(files.values()), available_cores())
    election = Election(layout)
    chosen = {name: election(file).identity for name, file in files.items()}
    return {
        "layout": str(layout),
        "seconds": round(time.perf_counter() - began, 2),
        **{
            name: f"{identity.execution_provider} {identity.precision}"
            for name, identity in chosen.items()
        },
    }


def _open(each: Candidate, file: ModelFile, layout: Layout, pictures: int) -> Open:
    backend = each.open(each.file(file), layout)
    size = int(backend.metadata["input_size"])
    views = [
        imaging.view(specimens.lesion_jpeg(seed=seed), frozenset({size}))
        for seed in range(pictures)
    ]
    return Open([backend], [[view.tensors[size][None] for view in views]])


def _both(opened: dict[str, dict[Candidate, Open]]) -> dict[Candidate, Open]:
    first, second = opened.values()
    return {
        each: Open(
            [*first[each].backends, *second[each].backends],
            [*first[each].inputs, *second[each].inputs],
        )
        for each in first
    }


def _compared(
    candidates: dict[Candidate, Open], cores: int, rounds: int, pictures: int
) -> dict[str, Any]:
    rates: dict[tuple[Candidate, int], list[float]] = {}
    for _ in range(rounds):
        for each, unit in candidates.items():
            for runs in (1, cores):
                rates.setdefault((each, runs), []).append(unit.rate(runs, pictures))
    return {
        str(each): {
            "alone": _summary(rates[each, 1], rates[REFERENCE, 1]),
            "side_by_side": _summary(rates[each, cores], rates[REFERENCE, cores]),
        }
        for each in candidates
    }


def _summary(rates: list[float], references: list[float]) -> dict[str, float]:
    """Return the median rate, and the median of each turn's ratio to the reference's beside it."""
    ratios = [rate / reference for rate, reference in zip(rates, references, strict=True)]
    return {
        "pictures_a_second": round(statistics.median(rates), 1),
        "to_reference": round(statistics.median(ratios), 2),
    }


def _differences(candidates: dict[Candidate, Open]) -> dict[str, dict[str, float]]:
    expected = _answers(candidates[REFERENCE])
    return {
        str(each): {
            name: float(f"{difference:.2g}")
            for name, difference in parity.compared(expected, _answers(unit)).differences.items()
        }
        for each, unit in candidates.items()
        if each is not REFERENCE
    }


def _answers(unit: Open) -> list[dict[str, Tensor]]:
    (backend,), (batches,) = unit.backends, unit.inputs
    return [named(backend, backend.run(one)) for one in batches]


if __name__ == "__main__":
    main()
