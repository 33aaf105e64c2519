"""Everything that is measured about a segmenter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from weights import dataset
from weights.card.words import TITLES
from weights.evaluation import diagrams, failures, outlines
from weights.evaluation.progress import watched

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from weights.dataset import Picture
    from weights.evaluation.judgements import Judgements
    from weights.evaluation.model import Model
    from weights.evaluation.sample import Json


def evaluate(model: Model, data: Path, judgements: Judgements) -> Json:
    """Evaluate a segmenter on the pictures in ``data``; draw its diagram beside it.

    ``report_fold`` and ``isic2017_validation`` are about the model's own mask,
    the same names under ``product`` about the outline that people are shown.
    """
    report = dataset.ham10000(data, [dataset.REPORT_FOLD])
    splits = {
        "report_fold": [picture for picture in report if not picture.mask_suspect],
        "isic2017_validation": dataset.isic2017(data, "val"),
    }
    overlaps = {
        name: _overlaps(model, data, pictures, judgements, TITLES[name])
        for name, pictures in splits.items()
    }
    raw = {name: pair[0] for name, pair in overlaps.items()}
    shown = {name: pair[1] for name, pair in overlaps.items()}
    return {
        **{name: _figures(raw[name], pictures) for name, pictures in splits.items()},
        "product": {
            name: {
                **_figures(shown[name], pictures),
                "without_outline": judgements.without_outline(pictures),
            }
            for name, pictures in splits.items()
        },
        "failures": {
            name: failures.of_outlines(pictures, shown[name][:, 1])
            for name, pictures in splits.items()
        },
        "diagrams": diagrams.draw_segmenter(
            model.path.parent, {TITLES[name]: shown[name][:, 1] for name in splits}
        ),
    }


def _figures(overlaps: np.ndarray, pictures: Sequence[Picture]) -> Json:
    labels, lesions = [p.label for p in pictures], [p.lesion for p in pictures]
    return outlines.figures(overlaps, labels, lesions)


def _overlaps(
    model: Model, data: Path, pictures: Sequence[Picture], judgements: Judgements, title: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return (Dice, Jaccard) of the model's mask and of the product's: N x 2 each.

    Masks are compared at the size they were drawn in. A picture without an
    outline counts with an empty one.
    """
    images = dataset.images(data, pictures, model.size)
    soft = model.answers(images, f"Segmenter, {title}")["mask"][..., 0]
    judged = judgements.of(pictures)
    drawn = watched(dataset.full_masks(data, pictures), f"Outlines, {title}", len(pictures))
    raw, shown = [], []
    for probability, judgement, mask in zip(soft, judged, drawn, strict=True):
        raw.append(outlines.overlap(outlines.raw(probability, *mask.shape), mask))
        shown.append(outlines.overlap(judgement.mask(*mask.shape), mask))
    return np.array(raw), np.array(shown)
