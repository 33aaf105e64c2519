"""Whom "cannot assess" meets: lesions it should have let pass, and strangers it should not."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from weights.classifier import LABELS
from weights.evaluation.sample import Sample, rounded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from weights.evaluation.product import Judgement
    from weights.evaluation.sample import Json


def of_lesions(
    judgements: Sequence[Judgement], targets: np.ndarray, lesions: Sequence[str]
) -> Json:
    """Count false refusals of N real lesions (``targets``: places in `LABELS`, N)."""
    sample = Sample(lesions)
    refused = np.array([judgement.refused for judgement in judgements])
    return {
        **sample.size,
        "refused": sample.share(refused),
        "reasons": reasons(judgements),
        "labels": {
            label: _label([judgements[i] for i in np.flatnonzero(inside).tolist()], sample, inside)
            for k, label in enumerate(LABELS)
            if (inside := targets == k).any()
        },
        "melanoma_minus_nevus": sample.estimate(_melanoma_minus_nevus, refused, targets),
    }


def _label(judgements: Sequence[Judgement], sample: Sample, inside: np.ndarray) -> Json:
    """Say what became of one label's pictures; the three counts add up to all."""
    refused = np.array([judgement.refused for judgement in judgements])
    suspicious = sum(judgement.suspicious for judgement in judgements)
    return {
        "pictures": len(judgements),
        "refused": sample.among(inside).share(refused),
        "reasons": reasons(judgements),
        "outcomes": {
            "refused": int(refused.sum()),
            "suspicious": suspicious,
            "not suspicious": len(judgements) - int(refused.sum()) - suspicious,
        },
    }


def _melanoma_minus_nevus(refused: np.ndarray, targets: np.ndarray) -> float:
    melanoma, nevus = (targets == LABELS.index(label) for label in ("mel", "nv"))
    if not melanoma.any() or not nevus.any():
        return float("nan")
    return float(refused[melanoma].mean() - refused[nevus].mean())


def reasons(judgements: Iterable[Judgement]) -> dict[str, int]:
    """Count the reasons of refusals, the commonest first; one picture may have several."""
    counts = Counter(reason for judgement in judgements for reason in judgement.reasons)
    return dict(counts.most_common())


def of_strangers(judgements: Mapping[str, Judgement]) -> Json:
    """Count refusals of pictures, by name, that show no lesion at all."""
    return {
        "pictures": len(judgements),
        "refused": sum(judgement.refused for judgement in judgements.values()),
        "reasons": reasons(judgements.values()),
        "let_pass": [name for name, judgement in judgements.items() if not judgement.refused],
    }


def of_kinds(judgements: Mapping[str, Judgement]) -> Json:
    """Count the same for drawn pictures, whose names are a kind, a dash and a number."""
    kinds = sorted({_kind(name) for name in judgements})
    return {
        **of_strangers(judgements),
        "kinds": {
            kind: of_strangers({n: j for n, j in judgements.items() if _kind(n) == kind})
            for kind in kinds
        },
    }


def _kind(name: str) -> str:
    return name.rpartition("-")[0]


def agreement(judgements: Sequence[Judgement], probabilities: np.ndarray) -> Json:
    """Compare the product's answers with the model's own (Nx7), where it gave any.

    The product stores each picture anew before it judges it, and may round
    differently; what remains is the difference between its road and ours.
    """
    answered = np.array([not judgement.refused for judgement in judgements])
    said = np.array([j.probabilities for j in judgements if j.probabilities is not None])
    if not len(said):
        return {"pictures": 0, "same_label": None, "largest_difference": None}
    own = probabilities[answered]
    return {
        "pictures": len(said),
        "same_label": rounded(float(np.mean(said.argmax(axis=1) == own.argmax(axis=1)))),
        "largest_difference": rounded(float(np.abs(said - own).max())),
    }
