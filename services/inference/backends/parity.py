"""Whether a backend answers as the reference does. Pure functions.

The tolerances lie a little beyond what the accepted variants and bf16 were measured to differ
on pictures of lesions; a broken kernel or an overflow differs by far more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from services.inference.backends.backend import Tensor

MAX_PROBABILITY_DIFFERENCE = 0.08
"""Of any of the seven probabilities."""

MAX_NOVELTY_DIFFERENCE = 0.06
"""As a share of the reference's: it decides whether a picture is judged at all."""

MIN_DICE = 0.97
"""Of the two masks at 0.5 (L. R. Dice, Ecology 26:297, 1945)."""

MAX_SHARE_OF_NORM = 0.25
"""Of any other output: the norm of the difference by the norm of the reference's."""

Answer = Mapping[str, Tensor]


@dataclass(frozen=True, slots=True)
class Parity:
    """How far apart two backends are, at the worst of a few pictures.

    Attributes:
        differences: by output: of probabilities the largest, of a mask 1 - Dice, of others
            the share of the norm.
        faults: a sentence each; empty when the backend may stand in for the reference.

    """

    differences: Mapping[str, float]
    faults: tuple[str, ...]


def compared(references: Sequence[Answer], answers: Sequence[Answer]) -> Parity:
    """Compare the answers to the same pictures.

    Args:
        references: outputs by name, a picture each.
        answers: of the backend in question, in the same order.

    """
    worst: dict[str, float] = {}
    for reference, answer in zip(references, answers, strict=True):
        for name, expected in reference.items():
            found = _difference(name, expected, answer.get(name))
            worst[name] = max(worst.get(name, 0.0), found)
    faults = [
        f"{name} differs by {found:.3g}, more than {_allowed(name):g}"
        for name, found in worst.items()
        if found > _allowed(name)
    ]
    if any(map(_label_differs, references, answers)):
        faults.append("a label differs")
    return Parity(worst, tuple(faults))


def _allowed(name: str) -> float:
    return {
        "probabilities": MAX_PROBABILITY_DIFFERENCE,
        "novelty": MAX_NOVELTY_DIFFERENCE,
        "mask": 1 - MIN_DICE,
    }.get(name, MAX_SHARE_OF_NORM)


def _difference(name: str, expected: Tensor, found: Tensor | None) -> float:
    if found is None or found.shape != expected.shape or not np.isfinite(found).all():
        return float("inf")
    if name == "probabilities":
        return float(np.abs(found - expected).max())
    if name == "mask":
        return 1 - _dice(found >= 0.5, expected >= 0.5)  # noqa: PLR2004 - where lesions begin
    norm = float(np.linalg.norm(expected))
    return float(np.linalg.norm(found - expected)) / norm if norm else float(found.any())


def _dice(one: Tensor, other: Tensor) -> float:
    both = int(one.sum()) + int(other.sum())
    return 2 * int((one & other).sum()) / both if both else 1.0


def _label_differs(reference: Answer, answer: Answer) -> bool:
    """Say whether the most probable label is another, unless two were about as probable."""
    expected, found = reference.get("probabilities"), answer.get("probabilities")
    if expected is None or found is None or found.shape != expected.shape:
        return False
    second, first = np.sort(expected, axis=None)[-2:]
    differs = int(found.argmax()) != int(expected.argmax())
    return differs and float(first - second) > MAX_PROBABILITY_DIFFERENCE
