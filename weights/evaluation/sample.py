"""A sample of pictures, and what can be said from it about all such pictures."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from weights import metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Json = dict[str, Any]
Estimate = dict[str, float | None]
"""A figure over all pictures of a sample, with the ends of its 95 % interval.

An entry is None where it is not defined, as a sensitivity is without a
positive case.
"""

UNDEFINED: Estimate = {"value": None, "low": None, "high": None}

DECIMALS = 4


def rounded(value: float) -> float | None:
    """Round a figure as ``evaluation.json`` holds it; what is not a number becomes None."""
    return None if math.isnan(value) else round(float(value), DECIMALS)


class Sample:
    """N pictures that belong to lesions; intervals are bootstrapped by lesion."""

    def __init__(self, lesions: Sequence[str]) -> None:
        """Take the name of each picture's lesion."""
        self.lesions = np.asarray(lesions)

    @property
    def size(self) -> Json:
        """The number of pictures and of lesions."""
        return {"pictures": len(self.lesions), "lesions": len(set(self.lesions))}

    @cached_property
    def _drawn(self) -> list[np.ndarray]:
        return metrics.draws(self.lesions.tolist())

    def rate(self, among: np.ndarray, flags: np.ndarray) -> Estimate:
        """Estimate the share of flagged pictures ``among`` some (both bool, N).

        Sensitivity is the rate of what was flagged among the positive.
        """
        return self.among(among).share(flags[among])

    def estimate(self, figure: Callable[..., float], *arrays: np.ndarray) -> Estimate:
        """Estimate a figure that is computed from arrays with one row a picture."""
        if not len(self.lesions):
            return dict(UNDEFINED)

        def over(chosen: np.ndarray) -> float:
            return figure(*(array[chosen] for array in arrays))

        low, high = metrics.interval(over, self._drawn)
        value = figure(*arrays)
        return {"value": rounded(value), "low": rounded(low), "high": rounded(high)}

    def mean(self, values: np.ndarray) -> Estimate:
        """Estimate the average of N values."""
        return self.estimate(lambda chosen: float(np.mean(chosen)), values)

    def share(self, flags: np.ndarray) -> Estimate:
        """Estimate how many pictures of a hundred carry a flag (bool, N), as a share."""
        if len(flags) and (flags.all() or not flags.any()):
            low, high = metrics.unanimous(len(set(self.lesions)), all_true=bool(flags[0]))
            return {"value": float(flags[0]), "low": rounded(low), "high": rounded(high)}
        return self.mean(flags.astype(float))

    def among(self, chosen: np.ndarray) -> Sample:
        """Return the sample of the pictures that ``chosen`` (bool, N) marks."""
        return Sample(self.lesions[chosen].tolist())
