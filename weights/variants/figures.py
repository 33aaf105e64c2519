"""The figures by which a variant is compared with the model it was made of."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from weights import calibrate, dataset, metrics, runtime
from weights.evaluation import outlines
from weights.evaluation.progress import watched

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from weights.evaluation.model import Model

SCORES = {"classifier": "balanced_accuracy", "segmenter": "thresholded_jaccard"}
"""What each model is judged by, by its name."""

DECIMALS = 4
_WARM_UP = 5


def measure(model: Model, data: Path, fold: int) -> dict[str, float]:
    """Measure a model file on a fold of HAM10000.

    Returns:
        For a classifier ``balanced_accuracy``, ``suspicious_sensitivity`` at the
        threshold of its metadata, and ``refused``, the share of pictures above its
        novelty threshold, where it has one; for a segmenter ``thresholded_jaccard``.

    """
    pictures = dataset.ham10000(data, [fold])
    found = _MEASURES[model.words["name"]](model, data, pictures)
    return {name: round(value, DECIMALS) for name, value in found.items()}


def _classifier(model: Model, data: Path, pictures: Sequence[dataset.Picture]) -> dict[str, float]:
    images = dataset.images(data, pictures, model.size)
    answers = model.answers(images, f"{model.path.name}, {len(images)} pictures")
    targets, probabilities = dataset.targets(pictures), answers["probabilities"]
    malignant = calibrate.malignant_probability(probabilities)
    suspicious = malignant >= float(model.words["suspicious_threshold"])
    found = {
        "balanced_accuracy": metrics.balanced_accuracy(targets, probabilities.argmax(axis=1)),
        "suspicious_sensitivity": metrics.sensitivity(calibrate.is_malignant(targets), suspicious),
    }
    if "novelty_threshold" in model.words:
        limit = float(model.words["novelty_threshold"])
        found["refused"] = float(np.mean(answers["novelty"] > limit))
    return found


def _segmenter(model: Model, data: Path, pictures: Sequence[dataset.Picture]) -> dict[str, float]:
    trusted = [picture for picture in pictures if not picture.mask_suspect]
    images = dataset.images(data, trusted, model.size)
    drawn = watched(dataset.full_masks(data, trusted), model.path.name, len(trusted))
    jaccards = []
    for image, mask in zip(images, drawn, strict=True):
        probability = model.answers(image[None])["mask"][0, :, :, 0]
        jaccards.append(outlines.overlap(outlines.raw(probability, *mask.shape), mask)[1])
    return {"thresholded_jaccard": float(np.mean(metrics.thresholded(np.array(jaccards))))}


_MEASURES = {"classifier": _classifier, "segmenter": _segmenter}


def median_ms(paths: Sequence[Path], runs: int = 60) -> list[float]:
    """Time files with inputs of one shape in turns: milliseconds a picture, one thread.

    In turns, because what else the machine does then slows all of them alike.
    """
    sessions = [runtime.session(path) for path in paths]
    shape = (1, *sessions[0].get_inputs()[0].shape[1:])
    image = np.random.default_rng(7).integers(0, 256, shape, np.uint8)
    times = np.empty((runs + _WARM_UP, len(sessions)))
    for run in times:
        for place, session in enumerate(sessions):
            started = time.perf_counter()
            session.run(None, {"image": image})
            run[place] = 1000 * (time.perf_counter() - started)
    return [round(float(median), 2) for median in np.median(times[_WARM_UP:], axis=0)]
