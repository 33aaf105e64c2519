"""The same figures for the young and the old, women and men, face and foot.

Skin tone, which should stand here first, is not recorded in the data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd  # type: ignore[import-untyped] # comes with isic-challenge-scoring

from weights import calibrate, metrics
from weights.evaluation.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from weights.evaluation.sample import Estimate, Json

LEAST_PICTURES = 25
LEAST_CASES = 5
"""A figure that would rest on fewer malignant (or fewer benign) pictures is not given."""

AGE_EDGES = (0, 30, 45, 60, 75)
UNKNOWN = "unknown"


def particulars(data: Path, names: Sequence[str]) -> pd.DataFrame:
    """Read what HAM10000's table says about people and sites, one row a picture.

    Columns, all words: ``age`` (a band of years), ``sex``, ``site``, and
    ``confirmed by`` (histology, follow-up, consensus or confocal microscopy).
    """
    table = pd.read_csv(data / "ham10000.csv").set_index("image_id").loc[list(names)]
    # A collection that does not tell is a collection of unknowns.
    table = table.reindex(columns=["age", "sex", "localization", "dx_type"])
    words = table.astype(object).fillna(UNKNOWN)
    return pd.DataFrame(
        {
            "age": table["age"].map(age_band),
            "sex": words["sex"],
            "site": words["localization"],
            "confirmed by": words["dx_type"],
        }
    )


def age_band(age: float) -> str:
    """Name the band of an age in years: ``45-59``; the last has no end."""
    if np.isnan(age):
        return UNKNOWN
    place = int(np.searchsorted(AGE_EDGES, age, side="right")) - 1
    if place == len(AGE_EDGES) - 1:
        return f"{AGE_EDGES[place]} and over"
    return f"{AGE_EDGES[place]}-{AGE_EDGES[place + 1] - 1}"


def figures(
    people: pd.DataFrame,
    targets: np.ndarray,
    probabilities: np.ndarray,
    lesions: Sequence[str],
    threshold: float,
) -> Json:
    """Return the figures of every group of every column of ``people`` (N rows).

    ``targets`` (N), ``probabilities`` (Nx7) and ``lesions`` (N) are the
    pictures'; ``threshold`` is that of ``suspicious``.
    """
    sample = Sample(lesions)

    def of(inside: np.ndarray) -> Json:
        return _group(sample.among(inside), targets[inside], probabilities[inside], threshold)

    return {
        "least_pictures": LEAST_PICTURES,
        "least_cases": LEAST_CASES,
        "by": {
            str(column): [
                {"group": str(group), **of((values == group).to_numpy())}
                for group in sorted(values.unique(), key=_unknown_last)
            ]
            for column, values in people.items()
        },
    }


def _unknown_last(group: str) -> tuple[bool, str]:
    return group == UNKNOWN, group


def _group(
    sample: Sample, targets: np.ndarray, probabilities: np.ndarray, threshold: float
) -> Json:
    """Return one group's figures; None stands for one that too few pictures bear."""
    malignant = calibrate.is_malignant(targets)
    cases, others = int(malignant.sum()), int((~malignant).sum())
    summed = calibrate.malignant_probability(probabilities)
    flagged = summed >= threshold
    right = probabilities.argmax(axis=1) == targets

    def when(fewest: int, figure: Callable[[], Estimate]) -> Estimate | None:
        enough = len(targets) >= LEAST_PICTURES and fewest >= LEAST_CASES
        return figure() if enough else None

    return {
        "pictures": len(targets),
        "malignant": cases,
        "accuracy": when(len(targets), lambda: sample.share(right)),
        "malignant_auc": when(
            min(cases, others), lambda: sample.estimate(metrics.auc, malignant, summed)
        ),
        "sensitivity": when(cases, lambda: sample.rate(malignant, flagged)),
        "specificity": when(others, lambda: sample.rate(~malignant, ~flagged)),
    }
