"""Text that the page's font can draw, and visible marks for what it cannot.

A missing letter in a name must never vanish in silence: it is written as its code point,
and the page says so in a footnote.
"""

import unicodedata
from collections.abc import Container
from xml.sax.saxutils import escape

from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.platypus import Paragraph

_NAMED_IN_FOOTNOTE = 8
# Drawn from left to right without joining their letters, these would be wrong, not missing.
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})


class Lettering:
    """Sets the text of one document and remembers what its font lacks."""

    def __init__(self, glyphs: Container[int]) -> None:
        """Begin a document.

        Args:
            glyphs: the code points that the font has a shape for.

        """
        self._glyphs = glyphs
        self._missing: dict[str, None] = {}

    def paragraph(self, text: str, style: ParagraphStyle) -> Paragraph:
        """Set text literally: markup characters are printed, not obeyed."""
        return Paragraph(escape(self.drawable(text)), style)

    def drawable(self, text: str) -> str:
        """Return text on one line with a mark such as ``[U+4E2D]`` for what is lacking."""
        composed = unicodedata.normalize("NFC", text)
        return " ".join("".join(map(self._drawn, composed)).split())

    def line(self, text: str, style: ParagraphStyle, width: float) -> str:
        """Return text for one line, cut with an ellipsis where it would not fit."""
        line = self.drawable(text)
        if stringWidth(line, style.fontName, style.fontSize) <= width:
            return line
        while line and stringWidth(f"{line}…", style.fontName, style.fontSize) > width:
            line = line[:-1]
        return f"{line.rstrip()}…"

    def footnote(self) -> str:
        """Return what to say about marks on the page; empty when there are none."""
        if not self._missing:
            return ""
        codes = [_mark(character) for character in self._missing]
        named = ", ".join(codes[:_NAMED_IN_FOOTNOTE])
        more = len(codes) - _NAMED_IN_FOOTNOTE
        rest = f" and {more} more" if more > 0 else ""
        return (
            "A mark in square brackets stands for a Unicode character that the font of this "
            f"page lacks: {named}{rest}."
        )

    def _drawn(self, character: str) -> str:
        if character.isspace():
            return " "
        if self._has(character):
            return character
        self._missing[character] = None
        return _mark(character)

    def _has(self, character: str) -> bool:
        return (
            ord(character) in self._glyphs
            and unicodedata.bidirectional(character) not in _RIGHT_TO_LEFT
            and not unicodedata.category(character).startswith("C")
        )


def _mark(character: str) -> str:
    return f"[U+{ord(character):04X}]"
