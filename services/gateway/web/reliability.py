"""Reliability diagrams, laid out for inline SVG; a table beside them says the same.

A bin is a dot at its mean probability and its observed frequency, with a line for the 95 %
interval; the column below it tells how many pictures it stands for.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple, Self

from services.gateway.clients.evaluation import Bin, Reliability

SIDE = 240
"""Width and height of the field in which probabilities meet frequencies."""

COLUMNS = 44
"""Height of the field of columns."""

_LEAST_RADIUS, _MOST_RADIUS = 3.0, 8.0


class Dot(NamedTuple):
    """A bin in the diagram, in units of the drawing, y downwards.

    Attributes:
        x: of the mean probability.
        y: of the observed frequency.
        radius: by the root of the number of pictures.
        top: of the upper end of the interval.
        bottom: of its lower end.
        left: of the column.
        width: of the column.
        height: of the column, by the number of pictures.

    """

    x: float
    y: float
    radius: float
    top: float
    bottom: float
    left: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Diagram:
    """How honest probabilities are.

    Attributes:
        name: of the diagram, as a part of ids.
        title: what the probabilities are of.
        came_true: what the frequency is of.
        found: the figures.
        dots: one a bin.

    """

    name: str
    title: str
    came_true: str
    found: Reliability
    dots: tuple[Dot, ...]

    @classmethod
    def of(cls, name: str, title: str, came_true: str, found: Reliability) -> Self:
        """Lay it out."""
        most = max((each.pictures for each in found.bins), default=1)
        return cls(name, title, came_true, found, tuple(_dot(each, most) for each in found.bins))


def _dot(found: Bin, most: int) -> Dot:
    low, high = found.frequency.interval or (found.frequency.value, found.frequency.value)
    share = found.pictures / most
    return Dot(
        x=SIDE * found.mean_probability,
        y=SIDE * (1 - found.frequency.value),
        radius=_LEAST_RADIUS + (_MOST_RADIUS - _LEAST_RADIUS) * math.sqrt(share),
        top=SIDE * (1 - high),
        bottom=SIDE * (1 - low),
        left=SIDE * found.low,
        width=SIDE * (found.high - found.low),
        height=COLUMNS * share,
    )
