"""What a run leaves in its folder, so that it can go on and be used.

``last.npz`` holds model and optimizer after the last epoch, ``progress.json`` where
the run stands, ``best.weights.h5`` the averaged weights of the best epoch,
``history.csv`` a line an epoch, and ``made_with.json`` what the run was told.
"""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from weights.training.config import Config, Run

BEST = "best.weights.h5"


@dataclass(slots=True)
class Progress:
    """Where a run stands."""

    epoch: int = 0
    best: float = 0.0
    best_epoch: int = -1

    def finished(self, config: Config) -> bool:
        """Tell whether all epochs are done, or nothing has improved for too long."""
        weary = config.judged and self.epoch - self.best_epoch > config.patience
        return self.epoch >= config.epochs or (self.epoch > 0 and weary)


@dataclass(frozen=True, slots=True)
class Folder:
    """A run's folder."""

    path: Path

    @property
    def best(self) -> Path:
        """The weights that the run is for."""
        return self.path / BEST

    def progress(self) -> Progress:
        """Read where the run stands: at its beginning if nothing is there."""
        state = self.path / "progress.json"
        return Progress(**_read(state)) if state.exists() else Progress()

    def save(self, model: keras.Model, progress: Progress) -> None:
        """Write weights, optimizer and progress; a half-written file never has the name."""
        variables = [*model.variables, *model.optimizer.variables]
        partial = self.path / "last.partial.npz"
        np.savez(partial, *[ops.convert_to_numpy(variable.value) for variable in variables])
        partial.replace(self.path / "last.npz")
        _write(self.path / "progress.json", asdict(progress))

    def load(self, model: keras.Model) -> None:
        """Bring model and optimizer back; raise ``ValueError`` if they are other ones."""
        model.optimizer.build(model.trainable_variables)
        variables = [*model.variables, *model.optimizer.variables]
        with np.load(self.path / "last.npz") as arrays:
            for variable, name in zip(variables, arrays.files, strict=True):
                variable.assign(arrays[name])

    def save_best(self, model: keras.Model) -> None:
        """Keep the weights as they are now."""
        partial = self.path / f"partial.{BEST}"
        model.save_weights(partial)
        partial.replace(self.best)

    def append(self, row: dict[str, object]) -> None:
        """Add a line to the history."""
        table = self.path / "history.csv"
        fresh = not table.exists()
        with table.open("a", newline="", encoding="utf-8") as lines:
            writer = csv.DictWriter(lines, row)
            if fresh:
                writer.writeheader()
            writer.writerow(row)

    def changes(self, told: dict[str, Any]) -> list[str]:
        """List what differs between ``told`` and what the run was told before.

        Nothing differs for a run that is new or older than this record.
        """
        record = self.path / "made_with.json"
        # An option that is younger than the run had no name then, and stood at its default.
        unnamed = {key: field.default for key, field in Config.model_fields.items() if key in told}
        before = unnamed | _read(record) if record.exists() else told
        return [
            f"{key} was {before.get(key)}, is {told.get(key)}"
            for key in sorted({*before, *told})
            if before.get(key) != told.get(key)
        ]

    def note(self, told: dict[str, Any]) -> None:
        """Write down what the run is told."""
        _write(self.path / "made_with.json", told)


def told(run: Run, start: Path | None, teachers: tuple[Path, ...]) -> dict[str, Any]:
    """Return all that a run's result depends on: its options and its files' digests."""
    options = run.model_dump(mode="json", exclude={"name", "eager", "workers"})
    files = {"start_sha256": start, **{f"teacher_{k}_sha256": p for k, p in enumerate(teachers)}}
    return options | {key: digest(path) for key, path in files.items() if path is not None}


def digest(path: Path) -> str:
    """Return a file's SHA-256, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8")))


def _write(path: Path, content: dict[str, Any]) -> None:
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(json.dumps(content), encoding="utf-8")
    partial.replace(path)
