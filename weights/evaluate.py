"""Evaluation of the shipped ONNX files: ``python -m weights.evaluate``.

What is measured is what is served: the file on disk, run by ONNX Runtime, on
pictures that went through the product's own resize; and then the product
itself, asked through its command. Thresholds and calibration were chosen on
fold 3; the figures come from fold 4, which nothing was chosen on. Writes
``evaluation.json`` and its diagrams beside each model, stamps the headline
figures into the file's metadata, and renders ``MODEL_CARD.md``.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import onnx

from weights import card, dataset, graph, release
from weights.evaluation import classifier, segmenter
from weights.evaluation.circumstances import circumstances
from weights.evaluation.judgements import Judgements
from weights.evaluation.model import Model

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from weights.evaluation.sample import Json

EVALUATE = {"classifier": classifier.evaluate, "segmenter": segmenter.evaluate}


def headline(name: str, results: Mapping[str, Json]) -> Json:
    """Pick the few figures that travel inside the ONNX file."""
    report = results["report_fold"]
    if name == "segmenter":
        keys = ("mean_dice", "mean_jaccard", "thresholded_jaccard")
    else:
        keys = ("balanced_accuracy", "macro_auc", "expected_calibration_error")
    picked: Json = {key: report[key]["value"] for key in keys}
    if name == "classifier":
        suspicious = report["suspicious"]
        picked["suspicious_sensitivity"] = suspicious["sensitivity"]["value"]
        picked["suspicious_specificity"] = suspicious["specificity"]["value"]
    return {"split": "HAM10000 fold 4, split by lesion", **picked}


def stamp(path: Path, figures: Json) -> None:
    """Write the headline into a model file's metadata, and its checksum anew."""
    model = onnx.load(path)
    graph.describe(model, {**graph.words_of(model), "metrics": figures})
    with release.replacing(path) as partial:
        onnx.save(model, partial)


def publish(path: Path, evaluation: Json) -> None:
    """Write an evaluation and its card beside the model's file."""
    text = json.dumps(evaluation, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    path.with_name("evaluation.json").write_text(text, encoding="utf-8")
    path.with_name("MODEL_CARD.md").write_text(card.render(evaluation), encoding="utf-8")


def variants(model: Model) -> Json:
    """Return what was written down about smaller copies of a model, where they were made.

    ``variants.json`` beside the model's file is a list of objects with the keys
    file, kind, bytes, variant_of, balanced_accuracy or thresholded_jaccard, drop,
    median_ms, accepted and why. Copies of another file than this one are left out.
    """
    found = model.path.with_name("variants.json")
    written = json.loads(found.read_text(encoding="utf-8")) if found.exists() else []
    own = [copy for copy in written if copy["variant_of"] == model.file["sha256"]]
    return {"variants": own} if own else {}


def evaluate(path: Path, data: Path, judgements: Judgements, options: str) -> Json:
    """Evaluate one model file, stamp it and publish what was found; return the headline."""
    model = Model(path)
    name = model.words["name"]
    results = {**EVALUATE[name](model, data, judgements), **variants(model)}
    found = headline(name, results)
    speed = model.speed()
    stamp(path, found)
    publish(
        path,
        {
            "model": {key: value for key, value in model.words.items() if key != "metrics"},
            "file": model.file,
            "made": circumstances(data, options),
            "headline": found,
            "results": results,
            "speed": speed,
        },
    )
    return found


def main(words: Sequence[str] | None = None) -> None:
    """Evaluate from the command line, or from ``words`` instead of it."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m weights.evaluate")
    parser.add_argument("--data", type=Path, default=dataset.data_folder())
    parser.add_argument("--models", type=Path, default=release.MODELS)
    parser.add_argument("--only", choices=list(EVALUATE), help="just this one")
    args = parser.parse_args(words)
    judgements = Judgements(args.models, args.data)
    for name in [args.only] if args.only else list(EVALUATE):
        path = release.file(args.models, name)
        options = f"--only {args.only}" if args.only else ""
        found = evaluate(path, args.data, judgements, options)
        sys.stdout.write(json.dumps({name: found}) + "\n")


if __name__ == "__main__":
    main()
