"""A small plot of one figure over time."""

import datetime as dt
from collections.abc import Sequence

from reportlab.lib.colors import Color
from reportlab.platypus import Flowable

from services.reports import styles, tags
from services.reports.fonts import REGULAR

_LEFT = 34.0
_BOTTOM = 14.0
_TOP = 6.0
_RIGHT = 6.0
_DOT = 2.4


class Plot(Flowable):
    """Dots at their moments, joined by a line; the axis begins at zero."""

    def __init__(
        self,
        points: Sequence[tuple[dt.datetime, float]],
        height: float,
        color: Color,
        ticks: Sequence[str],
        ends: tuple[str, str],
        top: float,
        shows: str,
    ) -> None:
        """Draw a figure over time.

        Args:
            points: moments and shares, oldest first; at least one.
            height: of the whole plot.
            color: of dots and line.
            ticks: what the lines of the grid stand for, from zero upwards.
            ends: the first and the last day in words.
            top: the share at the upper end.
            shows: what it shows, for those who cannot see it.

        """
        super().__init__()
        self._points = points
        self.height = height
        self._color = color
        self._ticks = ticks
        self._ends = ends
        self._top = top
        self._shows = shows

    def wrap(self, aW: float, aH: float) -> tuple[float, float]:
        del aH
        self.width = aW
        return aW, self.height

    def draw(self) -> None:
        with tags.tagged(self.canv, tags.Mark("Figure", self._shows)):
            self._grid()
            self._curve()

    def _curve(self) -> None:
        places = [self._place(moment, value) for moment, value in self._points]
        self.canv.setStrokeColor(self._color)
        self.canv.setFillColor(self._color)
        self.canv.setLineWidth(1.2)
        path = self.canv.beginPath()
        path.moveTo(*places[0])
        for place in places[1:]:
            path.lineTo(*place)
        self.canv.drawPath(path)
        for x, y in places:
            self.canv.circle(x, y, _DOT, stroke=0, fill=1)

    def _grid(self) -> None:
        self.canv.setStrokeColor(styles.RULE)
        self.canv.setLineWidth(0.5)
        self.canv.setFillColor(styles.MUTED)
        self.canv.setFont(REGULAR, styles.SMALL.fontSize)
        for index, tick in enumerate(self._ticks):
            y = _BOTTOM + (self.height - _BOTTOM - _TOP) * index / (len(self._ticks) - 1)
            self.canv.line(_LEFT, y, self.width - _RIGHT, y)
            self.canv.drawRightString(_LEFT - 4, y - 2.5, tick)
        first, last = self._ends
        self.canv.drawString(_LEFT, 2, first)
        if last != first:
            self.canv.drawRightString(self.width - _RIGHT, 2, last)

    def _place(self, moment: dt.datetime, value: float) -> tuple[float, float]:
        first, last = self._points[0][0], self._points[-1][0]
        lasted = (last - first).total_seconds()
        along = (moment - first).total_seconds() / lasted if lasted else 0.5
        left, right = _LEFT + 2 * _DOT, self.width - _RIGHT - 2 * _DOT
        share = min(max(value / self._top, 0.0), 1.0)
        return (
            left + along * (right - left),
            _BOTTOM + share * (self.height - _BOTTOM - _TOP),
        )
