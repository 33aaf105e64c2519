"""Whether a variant may stand in for the model it was made of. Pure functions.

The rule was fixed before anything was measured; a machine applies it to figures
as they are written down, rounded to four decimals.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

Figures = Mapping[str, float]

DECIMALS = 4

MOST_LOST = {
    "balanced_accuracy": 0.005,
    "thresholded_jaccard": 0.005,
    "suspicious_sensitivity": 0.01,
}
"""How much lower than the model's a variant's figure may be."""

MOST_MORE_REFUSED = 0.01
"""How much larger the share of lesions may be that a variant calls unlike its training."""


class Verdict(NamedTuple):
    """Whether a variant is accepted, and why."""

    accepted: bool
    why: str


def judge(model: Figures, variant: Figures) -> Verdict:
    """Compare a variant's figures with those of its model on the same pictures.

    Figures are compared where both have them; what is not a number is refused.
    """
    broken = [
        f"{name.replace('_', ' ')} falls by {drop(model, variant, name):g}, more than {limit:g}"
        for name, limit in MOST_LOST.items()
        if name in model and not drop(model, variant, name) <= limit
    ]
    if "refused" in model and not -drop(model, variant, "refused") <= MOST_MORE_REFUSED:
        risen = -drop(model, variant, "refused")
        broken.append(
            f"the share of refused lesions rises by {risen:g}, more than {MOST_MORE_REFUSED:g}"
        )
    return Verdict(not broken, "; ".join(broken) or "no figure is worse than the rule allows")


def drop(model: Figures, variant: Figures, name: str) -> float:
    """Return how much lower a variant's figure is; below 0 it is higher."""
    return round(model[name] - variant[name], DECIMALS)
