"""Fast variants of an exported model: ``python -m weights.quantize classifier|segmenter``.

Makes ``model.int8.onnx`` for processors and ``model.fp16.onnx`` for graphics
cards beside ``model.onnx``. What there is to choose is chosen on fold 3; then
each is held once against the model itself on fold 4 by a fixed rule
(`weights.variants.verdict`). Only what the rule accepts stays on disk. The
figures and verdicts of all are written to ``variants.json``, a list of objects.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx

from weights import dataset, graph, release
from weights.classifier import LABELS
from weights.evaluation.model import Model
from weights.variants import figures, verdict
from weights.variants.body import prepared
from weights.variants.half import half
from weights.variants.int8 import Recipe, quantized

if TYPE_CHECKING:
    from collections.abc import Sequence

    from weights.variants.verdict import Figures

Json = dict[str, Any]

CALIBRATION_PICTURES = 240
RECIPES = (Recipe(), Recipe(float_convolutions=9))
"""In this order; the first that the rule would accept on fold 3 is taken, or else the best."""

KINDS = {
    "int8": "int8 weights, uint8 activations, for processors",
    "fp16": "half precision, for graphics cards",
}
VARIANTS = "variants.json"


class Workshop:
    """Makes and judges the variants of one model file in a folder of its own."""

    def __init__(self, model: Path, data: Path, bench: Path) -> None:
        """Take the exported file, the training data and an empty folder to work in."""
        self._model = Model(model)
        self._data = data
        self._bench = bench
        self._sha256 = hashlib.sha256(model.read_bytes()).hexdigest()
        self._prepared = prepared(model)
        self._score = figures.SCORES[self._model.words["name"]]

    def variants(self) -> list[tuple[Path, Json]]:
        """Return each variant's file on the bench, and its entry in `VARIANTS`."""
        tried, best = self._choose()
        original = figures.measure(self._model, self._data, dataset.REPORT_FOLD)
        made = {"int8": best, "fp16": half(self._prepared)}
        more: dict[str, Json] = {"int8": {"tried": tried}, "fp16": {}}
        return [
            self._judged(kind, self._put(variant, kind), original, more[kind])
            for kind, variant in made.items()
        ]

    def _choose(self) -> tuple[list[Json], onnx.ModelProto]:
        """Try the recipes on fold 3; return what became of them, and the variant to take."""
        fold = dataset.VALIDATION_FOLD
        pictures = dataset.images(self._data, calibration_pictures(self._data), self._model.size)
        original = figures.measure(self._model, self._data, fold)
        tried: list[Json] = []
        made: list[onnx.ModelProto] = []
        for recipe in RECIPES:
            made.append(quantized(self._prepared, pictures, recipe))
            found = figures.measure(Model(self._put(made[-1], "int8")), self._data, fold)
            good, why = verdict.judge(original, found)
            lost = verdict.drop(original, found, self._score)
            tried.append({"recipe": str(recipe), "fold": fold, **found, "drop": lost, "why": why})
            if good:
                return tried, made[-1]
        best = min(range(len(tried)), key=lambda place: float(tried[place]["drop"]))
        return tried, made[best]

    def _put(self, variant: onnx.ModelProto, kind: str) -> Path:
        """Write a variant to the bench with the words of its model and two of its own."""
        path = self._bench / f"model.{kind}.onnx"
        own = {"variant": kind, "variant_of": self._sha256}
        graph.describe(variant, {**self._model.words, **own})
        onnx.checker.check_model(variant)
        onnx.save(variant, path)
        return path

    def _judged(self, kind: str, path: Path, original: Figures, more: Json) -> tuple[Path, Json]:
        """Measure a variant on fold 4, judge it, and stamp its own figures into it."""
        found = figures.measure(Model(path), self._data, dataset.REPORT_FOLD)
        accepted, why = verdict.judge(original, found)
        _stamp(path, found)
        original_ms, median_ms = figures.median_ms([self._model.path, path])
        about = Model(path).file
        entry = {
            "file": path.name,
            "kind": KINDS[kind],
            "bytes": about["bytes"],
            "sha256": about["sha256"],
            "variant_of": self._sha256,
            **found,
            "fp32": original[self._score],
            **{f"fp32_{name}": value for name, value in original.items() if name != self._score},
            "drop": verdict.drop(original, found, self._score),
            "median_ms": median_ms,
            "fp32_median_ms": original_ms,
            "accepted": accepted,
            "why": why,
            **more,
        }
        return path, entry


def _stamp(path: Path, found: Figures) -> None:
    """Replace the figures of the model, in a variant's metadata, by its own."""
    variant = onnx.load(path)
    split = {"split": "HAM10000 fold 4, split by lesion"}
    graph.describe(variant, {**graph.words_of(variant), "metrics": {**split, **found}})
    onnx.save(variant, path)


def calibration_pictures(data: Path, count: int = CALIBRATION_PICTURES) -> list[dataset.Picture]:
    """Draw pictures from the training folds, as many of each label as there are, up to a share."""
    rng = np.random.default_rng(7)
    pictures = dataset.ham10000(data, dataset.TRAINING_FOLDS)
    drawn: list[dataset.Picture] = []
    for label in LABELS:
        same = [picture for picture in pictures if picture.label == label]
        chosen = rng.permutation(len(same))[: -(-count // len(LABELS))]
        drawn.extend(same[place] for place in chosen)
    return drawn[:count]


def publish(folder: Path, judged: Sequence[tuple[Path, Json]]) -> None:
    """Put what was accepted beside the model, remove what was not, write down the verdicts."""
    for made, entry in judged:
        path = folder / entry["file"]
        if entry["accepted"]:
            with release.replacing(path) as partial:
                shutil.copyfile(made, partial)
        else:
            path.unlink(missing_ok=True)
            release.list_checksum(path, None)
    text = json.dumps([entry for _, entry in judged], indent=2) + "\n"
    (folder / VARIANTS).write_text(text, encoding="utf-8")


def main(words: Sequence[str] | None = None) -> None:
    """Make variants from the command line, or from ``words`` instead of it."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m weights.quantize")
    parser.add_argument("model", choices=list(figures.SCORES))
    parser.add_argument("--data", type=Path, default=dataset.data_folder())
    parser.add_argument("--models", type=Path, default=release.MODELS)
    args = parser.parse_args(words)
    folder = release.folder(args.models, args.model)
    with TemporaryDirectory() as bench:
        judged = Workshop(folder / "model.onnx", args.data, Path(bench)).variants()
        publish(folder, judged)
    for _, entry in judged:
        print(json.dumps({key: value for key, value in entry.items() if key != "tried"}))


if __name__ == "__main__":
    main()
