"""The page's own building blocks; all lengths are in points.

None of them refuses a page: what is too tall for what is left moves to the next page, and
what is too tall for any page falls apart into lines.
"""

import io
from collections.abc import Sequence

from reportlab.lib.colors import Color
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.platypus import Flowable, Spacer

from services import layers
from services.reports import styles, tags
from services.reports.fonts import REGULAR

SHORTEST_PAGE = 400.0
"""What every page has room for, below the longest footer: groups up to this stay whole."""

_PANEL_PADDING = 10.0
_PANEL_EDGE = 3.0


class Row(Flowable):
    """Cells beside each other, their tops in line."""

    def __init__(
        self, cells: Sequence[tuple[float, Flowable]], gap: float = 10, below: float = 0
    ) -> None:
        """Set cells side by side.

        Args:
            cells: each cell's width and content.
            gap: between two cells.
            below: empty height under the row.

        """
        super().__init__()
        self._cells = list(cells)
        self._gap = gap
        self._below = below

    def wrap(self, aW: float, aH: float) -> tuple[float, float]:
        self._heights = [cell.wrap(width, aH)[1] for width, cell in self._cells]
        self.height = max(self._heights) + self._below
        return aW, self.height

    def split(self, aW: float, aH: float) -> list[Flowable]:
        """Break every cell that is too tall, so that the row goes on under itself."""
        del aW
        if max(self._heights) <= aH:
            # Only the height below is too much, and nothing of the row is left to go on.
            return [Row(self._cells, self._gap)]
        tops: list[tuple[float, Flowable]] = []
        rests: list[tuple[float, Flowable]] = []
        for (width, cell), height in zip(self._cells, self._heights, strict=True):
            parts = [cell] if height <= aH else cell.split(width, aH)
            if not parts:
                return []
            tops.append((width, parts[0]))
            rests.append((width, Column(parts[1:])))
        return [Row(tops, self._gap), Row(rests, self._gap, self._below)]

    def draw(self) -> None:
        x = 0.0
        for (width, cell), height in zip(self._cells, self._heights, strict=True):
            cell.drawOn(self.canv, x, self.height - height)
            x += width + self._gap


class Column(Flowable):
    """Flowables under each other that stay on one page as long as a page can hold them."""

    def __init__(self, items: Sequence[Flowable]) -> None:
        super().__init__()
        self.items = list(items)

    def wrap(self, aW: float, aH: float) -> tuple[float, float]:
        self._heights = [item.wrap(aW, aH)[1] for item in self.items]
        self.height = sum(self._heights)
        return aW, self.height

    def split(self, aW: float, aH: float) -> list[Flowable]:
        return fallen_apart(self, self.items, aW, aH)

    def draw(self) -> None:
        y = self.height
        for item, height in zip(self.items, self._heights, strict=True):
            y -= height
            item.drawOn(self.canv, 0, y)


class SideBySide(Row):
    """Two columns; the right one goes under the left one when a page cannot hold them."""

    def __init__(self, left: Sequence[Flowable], right: Sequence[Flowable], share: float) -> None:
        """Set two columns.

        Args:
            left: the left column.
            right: the right column.
            share: how much of the text's width the left one takes, 0..1.

        """
        usable = styles.TEXT_WIDTH - styles.GAP
        widths = (usable * share, usable * (1 - share))
        columns = (Column(left), Column(right))
        super().__init__(list(zip(widths, columns, strict=True)), gap=styles.GAP)
        self._items = [*left, Spacer(1, 12), *right]

    def split(self, aW: float, aH: float) -> list[Flowable]:
        return fallen_apart(self, self._items, aW, aH)


class Panel(Column):
    """A tinted box with a colored edge: the result."""

    def __init__(self, items: Sequence[Flowable], tint: Color, edge: Color) -> None:
        super().__init__(items)
        self._tint = tint
        self._edge = edge

    def wrap(self, aW: float, aH: float) -> tuple[float, float]:
        self._width = aW
        inner = aW - 2 * _PANEL_PADDING - _PANEL_EDGE
        height = super().wrap(inner, aH)[1]
        self.height = height + 2 * _PANEL_PADDING
        return aW, self.height

    def draw(self) -> None:
        with tags.decoration(self.canv):
            self.canv.setFillColor(self._tint)
            self.canv.rect(0, 0, self._width, self.height, stroke=0, fill=1)
            self.canv.setFillColor(self._edge)
            self.canv.rect(0, 0, _PANEL_EDGE, self.height, stroke=0, fill=1)
        y = self.height - _PANEL_PADDING
        for item, height in zip(self.items, self._heights, strict=True):
            y -= height
            item.drawOn(self.canv, _PANEL_EDGE + _PANEL_PADDING, y)


class Bar(Flowable):
    """A share of one as a horizontal bar on a pale track."""

    def __init__(self, share: float, color: Color, line: float) -> None:
        """Draw a bar.

        Args:
            share: 0..1.
            color: of the filled part.
            line: height of the line of text beside it.

        """
        super().__init__()
        self._share = min(max(share, 0.0), 1.0)
        self._color = color
        self.height = line

    def wrap(self, aW: float, aH: float) -> tuple[float, float]:
        del aH
        self._width = aW
        return aW, self.height

    def draw(self) -> None:
        thickness = 7.0
        bottom = (self.height - thickness) / 2
        with tags.decoration(self.canv):
            self.canv.setFillColor(styles.TRACK)
            self.canv.rect(0, bottom, self._width, thickness, stroke=0, fill=1)
            self.canv.setFillColor(self._color)
            self.canv.rect(0, bottom, self._width * self._share, thickness, stroke=0, fill=1)


class Picture(Flowable):
    """A JPEG or PNG, as large as fits its width and a height, its proportions kept."""

    def __init__(self, encoded: bytes, max_height: float, shows: str) -> None:
        """Show a picture.

        Args:
            encoded: a whole file.
            max_height: that it may take.
            shows: what it shows, for those who cannot see it.

        """
        super().__init__()
        self._shows = shows
        self._reader = ImageReader(io.BytesIO(encoded))
        self._max_height = max_height

    def wrap(self, aW: float, aH: float) -> tuple[float, float]:
        del aH
        width, height = self._reader.getSize()
        scale = min(aW / width, self._max_height / height)
        self.width, self.height = width * scale, height * scale
        return self.width, self.height

    def draw(self) -> None:
        with tags.tagged(self.canv, tags.Mark("Figure", self._shows)):
            self.canv.drawImage(self._reader, 0, 0, self.width, self.height)


class Legend(Flowable):
    """The colors of the heat map from low to high."""

    def __init__(self, low: str, high: str) -> None:
        super().__init__()
        self._low = low
        self._high = high
        self.height = 10.0

    def wrap(self, aW: float, aH: float) -> tuple[float, float]:
        del aH
        self._width = aW
        return aW, self.height

    def draw(self) -> None:
        with tags.tagged(self.canv, tags.Mark("Figure", f"{self._low} - {self._high}")):
            self._draw()

    def _draw(self) -> None:
        palette = layers.heat_palette()
        self.canv.setFont(REGULAR, styles.SMALL.fontSize)
        self.canv.setFillColor(styles.MUTED)
        self.canv.drawString(0, 2.5, self._low)
        self.canv.drawRightString(self._width, 2.5, self._high)
        size = styles.SMALL.fontSize
        start = stringWidth(self._low, REGULAR, size) + 5
        end, steps = self._width - stringWidth(self._high, REGULAR, size) - 5, 32
        step = (end - start) / steps
        for index in range(steps):
            at = round(index / (steps - 1) * 255) * 3
            red, green, blue = (value / 255 for value in palette[at : at + 3])
            self.canv.setFillColorRGB(red, green, blue)
            # A hair wider than its step, so that no viewer shows seams.
            self.canv.rect(start + index * step, 2, step + 0.3, 6, stroke=0, fill=1)


class Rule(Flowable):
    """A hairline over the whole width."""

    def __init__(self, above: float = 0, below: float = 0) -> None:
        super().__init__()
        self._below = below
        self.height = above + below

    def wrap(self, aW: float, aH: float) -> tuple[float, float]:
        del aH
        self._width = aW
        return aW, self.height

    def draw(self) -> None:
        with tags.decoration(self.canv):
            self.canv.setStrokeColor(styles.RULE)
            self.canv.setLineWidth(0.6)
            self.canv.line(0, self._below, self._width, self._below)


def fallen_apart(
    whole: Flowable, items: Sequence[Flowable], width: float, height: float
) -> list[Flowable]:
    """Return the parts of a group that no page can hold, or nothing to try the next page."""
    if whole.height <= SHORTEST_PAGE:
        return []
    first, *rest = items
    if first.wrap(width, height)[1] <= height:
        return [first, *rest]
    parts = first.split(width, height)
    return [*parts, *rest] if parts else []
