"""Small plots of a figure over time, laid out for inline SVG; a table beside them says the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

WIDTH, HEIGHT = 320, 120
_MARGIN = 12


class Dot(NamedTuple):
    """A value in a plot, and where it lies."""

    x: float
    y: float
    value: float


@dataclass(frozen=True, slots=True)
class Plot:
    """A figure over time.

    Attributes:
        title: what it is.
        most: the value at its upper edge; 0 is at the lower one.
        dots: in the order of time.

    """

    title: str
    most: float
    dots: tuple[Dot, ...]

    @property
    def line(self) -> str:
        """The dots as the points of an SVG polyline."""
        return " ".join(f"{dot.x:.1f},{dot.y:.1f}" for dot in self.dots)

    @classmethod
    def of(
        cls, title: str, values: Sequence[tuple[datetime, float | None]], most: float | None = None
    ) -> "Plot":
        """Lay values out; those that are not known are left out.

        Args:
            title: what it is.
            values: with their moments, in the order of time.
            most: the largest that there can be; None for the largest that there is.

        """
        known = [(moment, value) for moment, value in values if value is not None]
        top = most or max((value for _, value in known), default=0) or 1.0
        begin, end = values[0][0], values[-1][0]
        span = (end - begin).total_seconds() or 1.0
        inside_x, inside_y = WIDTH - 2 * _MARGIN, HEIGHT - 2 * _MARGIN
        dots = (
            Dot(
                _MARGIN + inside_x * (moment - begin).total_seconds() / span,
                HEIGHT - _MARGIN - inside_y * value / top,
                value,
            )
            for moment, value in known
        )
        return cls(title, top, tuple(dots))
