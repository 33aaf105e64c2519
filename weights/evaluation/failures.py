"""Where it went most wrong: the pictures that a reader should look up first.

Of pictures of one lesion only the worst is named, so that one difficult
lesion does not fill the table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from weights import calibrate
from weights.classifier import LABELS
from weights.evaluation.classification import MELANOMA
from weights.evaluation.sample import rounded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from weights.dataset import Picture
    from weights.evaluation.sample import Json

COUNT = 10


def of_labels(pictures: Sequence[Picture], targets: np.ndarray, probabilities: np.ndarray) -> Json:
    """Name the most confident wrong answers (targets N, probabilities Nx7).

    ``melanomas`` have the lowest malignant probability, ``benign`` the
    highest, and ``labels`` are wrong labels that were given most surely.
    """
    summed = calibrate.malignant_probability(probabilities)
    wrong = probabilities.argmax(axis=1) != targets

    def described(places: Sequence[int]) -> list[Json]:
        return [_answer(pictures[k], probabilities[k], summed[k]) for k in places]

    lesions = [picture.lesion for picture in pictures]
    return {
        "melanomas": described(worst(summed, targets == MELANOMA, lesions)),
        "benign": described(worst(-summed, ~calibrate.is_malignant(targets), lesions)),
        "labels": described(worst(-probabilities.max(axis=1), wrong, lesions)),
    }


def _answer(picture: Picture, probabilities: np.ndarray, malignant: float) -> Json:
    label = int(probabilities.argmax())
    return {
        "picture": picture.name,
        "diagnosis": picture.label,
        "label": LABELS[label],
        "probability": rounded(probabilities[label]),
        "malignant_probability": rounded(malignant),
    }


def of_outlines(pictures: Sequence[Picture], jaccards: np.ndarray) -> list[Json]:
    """Name the pictures whose outline overlaps least with the drawn one (Jaccard, N)."""
    places = worst(jaccards, np.ones(len(jaccards), bool), [p.lesion for p in pictures])
    return [
        {
            "picture": pictures[k].name,
            "diagnosis": pictures[k].label,
            "jaccard": rounded(jaccards[k]),
        }
        for k in places
    ]


def worst(scores: np.ndarray, among: np.ndarray, lesions: Sequence[str]) -> list[int]:
    """Return the places of the lowest scores (N) ``among`` (bool, N), each lesion once."""
    chosen: dict[str, int] = {}
    for place in np.argsort(scores, kind="stable"):
        if among[place]:
            chosen.setdefault(lesions[place], int(place))
    return list(chosen.values())[:COUNT]
