"""Small plots of a figure over time, laid out for inline SVG; a table beside them says the same."""

import itertools
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
        ends: when its time begins and ends, for people; one where that is the same.
        times: where each moment lies, also those whose value is not known.
        runs: what is known without a gap, in the order of time.

    """

    title: str
    most: float
    ends: tuple[str, ...]
    times: tuple[float, ...]
    runs: tuple[tuple[Dot, ...], ...]

    @property
    def dots(self) -> tuple[Dot, ...]:
        """All that is known."""
        return tuple(itertools.chain(*self.runs))

    @property
    def lines(self) -> list[str]:
        """The runs as the points of SVG polylines: over a gap nobody knows how it went on."""
        return [" ".join(f"{dot.x:.1f},{dot.y:.1f}" for dot in run) for run in self.runs]

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
        top = most or max((value for _, value in values if value is not None), default=0) or 1.0
        begin, end = values[0][0], values[-1][0]
        span = (end - begin).total_seconds() or 1.0
        inside_x, inside_y = WIDTH - 2 * _MARGIN, HEIGHT - 2 * _MARGIN
        times = tuple(
            _MARGIN + inside_x * (moment - begin).total_seconds() / span for moment, _ in values
        )
        dots = [
            None if value is None else Dot(x, HEIGHT - _MARGIN - inside_y * value / top, value)
            for x, (_, value) in zip(times, values, strict=True)
        ]
        runs = (tuple(filter(None, run)) for _, run in itertools.groupby(dots, key=bool))
        return cls(title, top, _ends(begin, end), times, tuple(filter(None, runs)))


def _ends(begin: datetime, end: datetime) -> tuple[str, ...]:
    """Return two days, two times of one day, or the one time that both are."""
    pattern = "%Y-%m-%d" if begin.date() != end.date() else "%Y-%m-%d %H:%M UTC"
    return tuple(each.strftime(pattern) for each in ((begin,) if begin == end else (begin, end)))
