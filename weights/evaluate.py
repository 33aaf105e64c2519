"""Evaluation of the shipped ONNX files: ``python -m weights.evaluate``.

What is measured is what is served: the file on disk, run by ONNX Runtime, on
pictures that went through the product's own resize. Thresholds and calibration
were chosen on fold 3; the figures come from fold 4, which nothing was chosen
on. Writes ``evaluation.json`` beside each model, stamps the headline figures
into the file's metadata, and renders ``MODEL_CARD.md``.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import version
from os import cpu_count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import onnx
import onnxruntime as ort
import pandas as pd  # type: ignore[import-untyped] # comes with isic-challenge-scoring
from isic_challenge_scoring import metrics as isic

from weights import calibrate, card, dataset, export, graph, metrics
from weights.classifier import LABELS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from weights.dataset import Picture

Json = dict[str, Any]
PACKAGES = (
    "isic-challenge-scoring",
    "keras",
    "numpy",
    "onnx",
    "onnxruntime",
    "pillow",
    "tensorflow",
)
DECIMALS = 4
INSIDE = 0.5
"""A pixel at least this probable belongs to the outline."""


def balanced_accuracy(targets: np.ndarray, probabilities: np.ndarray) -> float:
    """Score as the ISIC challenges do, with their own package."""
    truth = pd.DataFrame(np.eye(len(LABELS))[targets], columns=list(LABELS))
    guesses = pd.DataFrame(probabilities, columns=list(LABELS))
    return float(
        isic.balanced_multiclass_accuracy(truth, guesses, pd.Series(np.ones(len(targets))))
    )


def with_interval(
    figure: Callable[[np.ndarray], float], lesions: Sequence[str]
) -> dict[str, float]:
    """Return a figure over all pictures and its bootstrap interval by lesion."""
    low, high = metrics.interval(figure, lesions)
    value = figure(np.arange(len(lesions)))
    return {"value": _round(value), "low": _round(low), "high": _round(high)}


def _round(value: float) -> float:
    return round(float(value), DECIMALS)


def classification(
    targets: np.ndarray, probabilities: np.ndarray, lesions: Sequence[str], threshold: float
) -> Json:
    """Return every figure about labelled pictures (targets N, probabilities Nx7)."""
    guesses = probabilities.argmax(axis=1)
    malignant = calibrate.is_malignant(targets)
    suspicious = calibrate.malignant_probability(probabilities) >= threshold
    melanoma = targets == LABELS.index("mel")

    def over(figure: Callable[..., float], *arrays: np.ndarray) -> dict[str, float]:
        return with_interval(lambda chosen: figure(*(a[chosen] for a in arrays)), lesions)

    return {
        "pictures": len(targets),
        "lesions": len(set(lesions)),
        "balanced_accuracy": {
            **over(metrics.balanced_accuracy, targets, guesses),
            "value": _round(balanced_accuracy(targets, probabilities)),
        },
        "accuracy": over(lambda t, g: float(np.mean(t == g)), targets, guesses),
        "macro_auc": over(metrics.macro_auc, targets, probabilities),
        "expected_calibration_error": over(
            metrics.expected_calibration_error, targets, probabilities
        ),
        "negative_log_likelihood": over(
            lambda t, p: calibrate.negative_log_likelihood(p, t), targets, probabilities
        ),
        "suspicious": {
            "sensitivity": over(metrics.sensitivity, malignant, suspicious),
            "specificity": over(metrics.specificity, malignant, suspicious),
            "melanoma_sensitivity": over(metrics.sensitivity, melanoma, suspicious),
            "auc": over(metrics.auc, malignant, calibrate.malignant_probability(probabilities)),
        },
        "melanoma": {
            "sensitivity": over(metrics.sensitivity, melanoma, guesses == LABELS.index("mel")),
            "specificity": over(metrics.specificity, melanoma, guesses == LABELS.index("mel")),
            "auc": over(metrics.auc, melanoma, probabilities[:, LABELS.index("mel")]),
        },
        "labels": per_label(targets, probabilities),
        "confusion": confusion(targets, guesses),
    }


def per_label(targets: np.ndarray, probabilities: np.ndarray) -> Json:
    """Return sensitivity, specificity and AUC of each label against the rest."""
    guesses = probabilities.argmax(axis=1)
    return {
        label: {
            "pictures": int(np.sum(targets == k)),
            "sensitivity": _round(metrics.sensitivity(targets == k, guesses == k)),
            "specificity": _round(metrics.specificity(targets == k, guesses == k)),
            "auc": _round(metrics.auc(targets == k, probabilities[:, k])),
        }
        for k, label in enumerate(LABELS)
    }


def confusion(targets: np.ndarray, guesses: np.ndarray) -> list[list[int]]:
    """Count pictures: rows are the diagnosis, columns the label given."""
    table = np.zeros((len(LABELS), len(LABELS)), dtype=int)
    np.add.at(table, (targets, guesses), 1)
    return [[int(count) for count in row] for row in table]


def outlines(overlaps: np.ndarray, lesions: Sequence[str]) -> Json:
    """Return the figures about masks from each picture's (Dice, Jaccard): Nx2."""
    dices, jaccards = overlaps.T

    def over(values: np.ndarray) -> dict[str, float]:
        return with_interval(lambda chosen: float(np.mean(values[chosen])), lesions)

    return {
        "pictures": len(lesions),
        "lesions": len(set(lesions)),
        "mean_dice": over(dices),
        "mean_jaccard": over(jaccards),
        "thresholded_jaccard": over(metrics.thresholded(jaccards)),
        "share_below_threshold": over((jaccards < metrics.JACCARD_THRESHOLD).astype(float)),
    }


class Evaluation:
    """One evaluation of the files in a models folder, on the data in another."""

    def __init__(self, models: Path, data: Path) -> None:
        """Look at models in ``models`` and pictures in ``data``."""
        self.models, self.data = models, data

    def path(self, name: str) -> Path:
        """Return the ONNX file of a model."""
        return self.models / name / export.VERSION / "model.onnx"

    def classifier(self) -> Json:
        """Evaluate the classifier on fold 4, fold 3, crops and outsiders."""
        path = self.path("classifier")
        words = graph.words_of(onnx.load(path))
        runtime, size = export.session(path, threads=2), int(words["input_size"])
        threshold = float(words["suspicious_threshold"])

        def figures(pictures: Sequence[Picture], answers: Mapping[str, np.ndarray]) -> Json:
            lesions = [picture.lesion for picture in pictures]
            probabilities = answers["probabilities"]
            return classification(dataset.targets(pictures), probabilities, lesions, threshold)

        report = dataset.ham10000(self.data, [dataset.REPORT_FOLD])
        validation = dataset.ham10000(self.data, [dataset.VALIDATION_FOLD])
        crops = [picture for picture in report if picture.has_centercrop]
        answers = export.answers(runtime, dataset.images(self.data, report, size))
        chosen_on = export.answers(runtime, dataset.images(self.data, validation, size))
        cropped = export.answers(runtime, dataset.center_crops(self.data, crops, size))
        return {
            "report_fold": figures(report, answers),
            "validation_fold": figures(validation, chosen_on),
            "center_crops": figures(crops, cropped),
            **self._novelty(words, answers, runtime, size),
        }

    def _novelty(
        self,
        words: Mapping[str, str],
        known: Mapping[str, np.ndarray],
        runtime: ort.InferenceSession,
        size: int,
    ) -> Json:
        """Count refusals of the report fold and of pictures of other things."""
        if "novelty_threshold" not in words:
            return {}
        limit = float(words["novelty_threshold"])
        outside = export.answers(runtime, dataset.outsiders(self.data, size))["novelty"]
        return {
            "novelty": {
                "false_refusals": _round(float(np.mean(known["novelty"] > limit))),
                "outsiders": len(outside),
                "outsiders_refused": int(np.sum(outside > limit)),
                "outsiders_auc": _round(
                    metrics.auc(
                        np.arange(len(outside) + len(known["novelty"])) < len(outside),
                        np.concatenate([outside, known["novelty"]]),
                    )
                ),
            }
        }

    def segmenter(self) -> Json:
        """Evaluate the segmenter on fold 4 and on ISIC 2017 validation."""
        report = dataset.ham10000(self.data, [dataset.REPORT_FOLD])
        return {
            "report_fold": self._outlines([p for p in report if not p.mask_suspect]),
            "isic2017_validation": self._outlines(dataset.isic2017(self.data, "val")),
        }

    def _outlines(self, pictures: Sequence[Picture]) -> Json:
        path = self.path("segmenter")
        size = int(graph.words_of(onnx.load(path))["input_size"])
        runtime = export.session(path, threads=2)
        images = dataset.images(self.data, pictures, size)
        masks = dataset.full_masks(self.data, pictures)
        overlaps = [
            _overlap(runtime.run(["mask"], {"image": image[None]})[0][0, :, :, 0], mask)
            for image, mask in zip(images, masks, strict=True)
        ]
        return outlines(np.array(overlaps), [picture.lesion for picture in pictures])

    def speed(self, name: str, runs: int = 100) -> Json:
        """Time single pictures on one thread."""
        runtime = export.session(self.path(name))
        size = runtime.get_inputs()[0].shape[1]
        image = np.random.default_rng(7).integers(0, 256, (1, size, size, 3), np.uint8)
        times = []
        for _ in range(runs + 10):
            started = time.perf_counter()
            runtime.run(None, {"image": image})
            times.append(1000 * (time.perf_counter() - started))
        return {
            "runs": runs,
            "median_ms": round(float(np.median(times[10:])), 2),
            "best_ms": round(min(times[10:]), 2),
        }


def _overlap(probability: np.ndarray, mask: np.ndarray) -> tuple[float, float]:
    """Compare at the size the mask was drawn in: (Dice, Jaccard)."""
    height, width = mask.shape
    guess = cv2.resize(probability, (width, height), interpolation=cv2.INTER_LINEAR) >= INSIDE
    pair = mask[None], guess[None]
    return float(metrics.dice(*pair)[0]), float(metrics.jaccard(*pair)[0])


def circumstances(models: str) -> Json:
    """Tell where, when and with what the figures were made."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "command": f"python -m weights.evaluate {models}".strip(),
        "commit": _commit(),
        "machine": {"processor": _processor(), "cores": cpu_count() or 1},
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
    }


def _commit() -> str:
    asked = ["git", "describe", "--always", "--abbrev=12", "--dirty"]
    answer = subprocess.run(  # noqa: S603 - our own words, no shell
        asked, capture_output=True, text=True, check=False, cwd=Path(__file__).parent
    )
    return answer.stdout.strip() or "unknown"


def _processor() -> str:
    """Return the processor's name and flags that matter to its speed."""
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.exists():
        return platform.processor() or platform.machine()
    lines = cpuinfo.read_text(encoding="utf-8").splitlines()
    return next((line.split(":")[1].strip() for line in lines if "model name" in line), "unknown")


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


def publish(path: Path, evaluation: Json) -> None:
    """Write the figures beside, and the headline into, the model's file."""
    model = onnx.load(path)
    words = {**graph.words_of(model), "metrics": evaluation["headline"]}
    graph.describe(model, words)
    with export.replacing(path) as partial:
        onnx.save(model, partial)
    text = json.dumps(evaluation, indent=2, ensure_ascii=False) + "\n"
    path.with_name("evaluation.json").write_text(text, encoding="utf-8")
    path.with_name("MODEL_CARD.md").write_text(card.render(evaluation), encoding="utf-8")


def main() -> None:
    """Evaluate from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m weights.evaluate")
    parser.add_argument("--data", type=Path, default=dataset.data_folder())
    parser.add_argument("--models", type=Path, default=export.MODELS)
    parser.add_argument("--only", choices=["classifier", "segmenter"], help="just this one")
    args = parser.parse_args()
    evaluation = Evaluation(args.models, args.data)
    for name in [args.only] if args.only else ["classifier", "segmenter"]:
        words = graph.words_of(onnx.load(evaluation.path(name)))
        results = getattr(evaluation, name)()
        document = {
            "model": {key: value for key, value in words.items() if key != "metrics"},
            "made": circumstances(f"--only {args.only}" if args.only else ""),
            "headline": headline(name, results),
            "results": results,
            "speed": evaluation.speed(name),
        }
        publish(evaluation.path(name), document)
        sys.stdout.write(json.dumps({name: document["headline"]}) + "\n")


if __name__ == "__main__":
    main()
