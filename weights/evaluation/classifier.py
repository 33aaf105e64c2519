"""Everything that is measured about a classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from weights import dataset, metrics
from weights.evaluation import (
    classification,
    deletion,
    diagrams,
    failures,
    groups,
    refusals,
)
from weights.evaluation.classification import Thresholds
from weights.evaluation.sample import rounded

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from weights.dataset import Picture
    from weights.evaluation.judgements import Judgements
    from weights.evaluation.model import Model
    from weights.evaluation.sample import Json


class Split(NamedTuple):
    """Pictures and what the model answered about them."""

    pictures: Sequence[Picture]
    images: np.ndarray
    answers: dict[str, np.ndarray]

    @property
    def lesions(self) -> list[str]:
        """The name of each picture's lesion."""
        return [picture.lesion for picture in self.pictures]

    @property
    def targets(self) -> np.ndarray:
        """Each picture's place in `LABELS`."""
        return dataset.targets(self.pictures)

    @property
    def probabilities(self) -> np.ndarray:
        """What the model answered: N x 7."""
        return self.answers["probabilities"]


def evaluate(model: Model, data: Path, judgements: Judgements) -> Json:
    """Evaluate a classifier on the pictures in ``data``; draw its diagrams beside it."""
    thresholds = Thresholds.of(model.words)
    report = _split(model, data, dataset.REPORT_FOLD)
    figures = _figures(report, thresholds)
    figures["reliability"] = classification.reliability(
        report.targets, report.probabilities, report.lesions
    )
    return {
        "report_fold": figures,
        "validation_fold": _figures(_split(model, data, dataset.VALIDATION_FOLD), thresholds),
        "center_crops": _figures(_center_crops(model, data, report.pictures), thresholds),
        "groups": _groups(report, data, thresholds),
        "failures": failures.of_labels(report.pictures, report.targets, report.probabilities),
        "deletion": deletion.measure(model.answers, report.images, report.lesions),
        **_novelty(model, data, report),
        "product": _product(report, judgements),
        "diagrams": diagrams.draw_classifier(
            model.path.parent, figures, report.targets, report.probabilities, thresholds
        ),
    }


def _split(model: Model, data: Path, fold: int) -> Split:
    pictures = dataset.ham10000(data, [fold])
    images = dataset.images(data, pictures, model.size)
    return Split(pictures, images, model.answers(images, f"Classifier, fold {fold}"))


def _center_crops(model: Model, data: Path, pictures: Sequence[Picture]) -> Split:
    cropped = [picture for picture in pictures if picture.has_centercrop]
    images = dataset.center_crops(data, cropped, model.size)
    return Split(cropped, images, model.answers(images, "Classifier, centre crops"))


def _figures(split: Split, thresholds: Thresholds) -> Json:
    return classification.figures(split.targets, split.probabilities, split.lesions, thresholds)


def _groups(split: Split, data: Path, thresholds: Thresholds) -> Json:
    return groups.figures(
        groups.particulars(data, [picture.name for picture in split.pictures]),
        split.targets,
        split.probabilities,
        split.lesions,
        thresholds.suspicious,
    )


def _novelty(model: Model, data: Path, report: Split) -> Json:
    """Count refusals by the model's own measure alone, where it has one."""
    if "novelty_threshold" not in model.words:
        return {}
    limit, known = float(model.words["novelty_threshold"]), report.answers["novelty"]
    outside = model.answers(dataset.outsiders(data, model.size))["novelty"]
    both = np.concatenate([outside, known])
    return {
        "novelty": {
            "false_refusals": rounded(float(np.mean(known > limit))),
            "outsiders": len(outside),
            "outsiders_refused": int(np.sum(outside > limit)),
            "outsiders_auc": rounded(metrics.auc(np.arange(len(both)) < len(outside), both)),
        }
    }


def _product(report: Split, judgements: Judgements) -> Json:
    """Say what the whole product makes of the report fold, of strangers and of drawings."""
    judged = judgements.of(report.pictures)
    return {
        "report_fold": refusals.of_lesions(judged, report.targets, report.lesions),
        "agreement": refusals.agreement(judged, report.probabilities),
        "outsiders": refusals.of_strangers(judgements.outsiders),
        "drawn": refusals.of_kinds(judgements.drawn),
    }
