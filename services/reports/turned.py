"""Text that runs from right to left, or both ways: broken into lines first, turned then."""

from collections.abc import Callable, Iterator
from typing import cast

from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import Flowable

from services.reports.tags import Text


class Turned(Flowable):
    """A paragraph whose lines are turned one by one, as Unicode Standard Annex 9 asks for."""

    def __init__(
        self,
        text: str,
        actual: str,
        style: ParagraphStyle,
        measure: Callable[[str, ParagraphStyle], float],
        turn: Callable[[str], str],
        markup: Callable[[str, ParagraphStyle], str],
    ) -> None:
        """Keep text until its width is known.

        Args:
            text: in the order in which it is read, its letters joined.
            actual: the same as it was written.
            style: that it is set in.
            measure: tells the width of a line, in points.
            turn: brings a line into the order in which it is drawn.
            markup: writes a line for the PDF library.

        """
        super().__init__()
        self._text = text
        self._actual = actual
        self._style = style
        self._measure = measure
        self._turn = turn
        self._markup = markup

    def wrap(self, aW: float, aH: float) -> tuple[float, float]:
        lines = (self._markup(self._turn(line), self._style) for line in self._lines(aW))
        self._set = Text("<br/>".join(lines), self._style)
        self._set.actual = self._actual
        self.width, self.height = self._set.wrap(aW, aH)
        return self.width, self.height

    def split(self, aW: float, aH: float) -> list[Flowable]:
        parts = cast("list[Text]", self._set.split(aW, aH))
        # The first part is read as the whole; what is drawn after it says nothing new.
        for number, part in enumerate(parts):
            part.actual = "" if number else self._actual
        return [*parts]

    def draw(self) -> None:
        self._set.drawOn(self.canv, 0, 0)

    def _lines(self, width: float) -> Iterator[str]:
        line = ""
        for word in self._text.split(" "):
            longer = f"{line} {word}" if line else word
            if self._measure(longer, self._style) <= width:
                line = longer
                continue
            if line:
                yield line
            *full, line = self._pieces(word, width)
            yield from full
        yield line

    def _pieces(self, word: str, width: float) -> Iterator[str]:
        """Break a word that no line can hold."""
        piece = ""
        for letter in word:
            if piece and self._measure(piece + letter, self._style) > width:
                yield piece
                piece = ""
            piece += letter
        yield piece
