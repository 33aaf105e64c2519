"""Text as the page's fonts can draw it, and visible marks for what they cannot.

A missing letter in a name must never vanish in silence: it is written as its code point,
and the page says so in a footnote. Letters that join are joined, and what runs from right to
left is turned line by line (Unicode Standard Annex 9).
"""

import bisect
import unicodedata
from collections.abc import Callable, Sequence
from itertools import filterfalse, groupby
from xml.sax.saxutils import escape

from arabic_reshaper import ArabicReshaper
from bidi import get_display
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.platypus import Flowable, Paragraph

from services.reports import fonts
from services.reports.tags import Text
from services.reports.turned import Turned

_NAMED_IN_FOOTNOTE = 8
_GLANCE = 16
"""Letters that are measured first: most that does not fit is cut within twice as many."""
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
_JOINERS = frozenset("\u200c\u200d")
"""They say whether letters join, and have no shape of their own."""


class Lettering:
    """Sets the text of one document and remembers what its fonts lack."""

    def __init__(self, missing: str, and_more: str) -> None:
        """Begin a document.

        Args:
            missing: the footnote's sentence, with ``{codes}``.
            and_more: what it says of those beyond the first few, with ``{count}``.

        """
        self._missing_said = missing
        self._and_more = and_more
        self._missing: dict[str, None] = {}

    def paragraph(self, text: str, style: ParagraphStyle) -> Flowable:
        """Set text literally: markup characters are printed, not obeyed."""
        shown = self.drawable(text)
        if _has_right_to_left(shown):
            written = " ".join(unicodedata.normalize("NFC", text).split())
            return Turned(shown, written, style, measure=_width, turn=_turned, markup=_markup)
        return Text(_markup(shown, style), style)

    def drawable(self, text: str) -> str:
        """Return text on one line with a mark such as ``[U+4E2D]`` for what is lacking.

        Letters are joined, and still in the order in which they are read.
        """
        if text.isascii() and text.isprintable():
            return " ".join(text.split())
        composed = _joined(unicodedata.normalize("NFC", text))
        self._missing |= dict.fromkeys(filterfalse(_drawn, composed))
        return _marked(composed)

    def short(self, text: str, style: ParagraphStyle, width: float) -> Flowable:
        """Set text as ``paragraph`` does, cut with an ellipsis to a width of all its lines.

        Only what stands on the page is measured and named in the footnote. Lines that break
        between words hold less than they could: they are at most twice as many and one.
        """
        return self.paragraph(_cut(text, style, width), style)

    def line(self, parts: Sequence[str], style: ParagraphStyle, width: float) -> Paragraph:
        """Return parts on one line, cut with an ellipsis where they would not fit."""
        short = (_cut(part, style, width) for part in parts if part.strip())
        line = " · ".join(_turned(self.drawable(part)) for part in short)
        return Text(_markup(_fitting(line, width, lambda cut: _width(cut, style)), style), style)

    def footnote(self) -> str:
        """Return what to say about marks on the page; empty when there are none."""
        if not self._missing:
            return ""
        codes = [_mark(character) for character in self._missing]
        more = len(codes) - _NAMED_IN_FOOTNOTE
        rest = self._and_more.format(count=more) if more > 0 else ""
        return self._missing_said.format(codes=", ".join(codes[:_NAMED_IN_FOOTNOTE]) + rest)


_reshape: Callable[[str], str] = ArabicReshaper(
    configuration={"delete_harakat": False, "ARABIC LIGATURE ALLAH": False}
).reshape


def _joined(text: str) -> str:
    """Give Arabic letters the forms that they have beside each other."""
    if not any("\u0600" <= character <= "\u06ff" for character in text):
        return text
    return "".join(character for character in _reshape(text) if character not in _JOINERS)


def _cut(text: str, style: ParagraphStyle, width: float) -> str:
    """Return text as it was written, or as much of it as is drawn within a width."""
    composed = " ".join(unicodedata.normalize("NFC", text).split())
    return _fitting(composed, width, lambda cut: _width(_marked(_joined(cut)), style))


def _fitting(text: str, width: float, measure: Callable[[str], float]) -> str:
    """Return a text, or as much of its beginning as fits a width with an ellipsis behind it."""
    end = min(_GLANCE, len(text))
    while end < len(text) and measure(text[:end]) <= width:
        end = min(2 * end, len(text))
    if end == len(text) and measure(text) <= width:
        return text
    held = bisect.bisect_right(range(end), width, key=lambda end: measure(f"{text[:end]}…"))
    return f"{text[: max(held - 1, 0)].rstrip()}…"


def _marked(text: str) -> str:
    marked = (letter if _drawn(letter) else _mark(letter) for letter in text)
    return " ".join("".join(marked).split())


def _drawn(character: str) -> bool:
    return character.isspace() or _has(character)


def _turned(text: str) -> str:
    """Bring a line into the order in which it is drawn, from left to right."""
    return str(get_display(text)) if _has_right_to_left(text) else text


def _has_right_to_left(text: str) -> bool:
    return any(unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in text)


def _has(character: str) -> bool:
    return not unicodedata.category(character).startswith("C") and all(
        any(ord(character) in face.glyphs for face in fonts.faces(font))
        for font in (fonts.REGULAR, fonts.BOLD)
    )


def _plain(text: str, style: ParagraphStyle) -> bool:
    """Say whether the style's own font has all letters, as it nearly always has."""
    return fonts.faces(style.fontName)[0].glyphs.issuperset(map(ord, text))


def _font(character: str, font: str) -> str:
    found = (face.font for face in fonts.faces(font) if ord(character) in face.glyphs)
    return next(found, font)


def _markup(text: str, style: ParagraphStyle) -> str:
    """Return text for the PDF library, each stretch in the font that has its letters."""
    if _plain(text, style):
        return escape(text)
    stretches = groupby(text, key=lambda letter: _font(letter, style.fontName))
    return "".join(
        escape("".join(letters))
        if font == style.fontName
        else f'<font name="{font}">{escape("".join(letters))}</font>'
        for font, letters in stretches
    )


def _width(text: str, style: ParagraphStyle) -> float:
    if _plain(text, style):
        return stringWidth(text, style.fontName, style.fontSize)
    stretches = groupby(text, key=lambda letter: _font(letter, style.fontName))
    return sum(stringWidth("".join(letters), font, style.fontSize) for font, letters in stretches)


def _mark(character: str) -> str:
    return f"[U+{ord(character):04X}]"
