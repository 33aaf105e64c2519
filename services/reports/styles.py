"""How the page looks: fonts, colors, measures. All lengths are in points (1/72 inch)."""

import functools
from pathlib import Path
from typing import cast

from reportlab import rl_config
from reportlab.lib.colors import Color, HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

PAGE_WIDTH, PAGE_HEIGHT = A4
MARGIN = 48.0
TOP = 46.0
BOTTOM = 26.0
TEXT_WIDTH = PAGE_WIDTH - 2 * MARGIN
GAP = 20.0
"""Between columns."""

REGULAR = "LiberationSans"
BOLD = "LiberationSans-Bold"

INK = HexColor(0x1B2733)
MUTED = HexColor(0x5A6875)
RULE = HexColor(0xD3DBE1)
ACCENT = HexColor(0x1F5D78)
TRACK = HexColor(0xEBF0F3)
BAR = HexColor(0x9DB4C0)
CALM_TINT = HexColor(0xF1F5F8)
ALERT = HexColor(0xB45F06)
ALERT_TINT = HexColor(0xFDF3E7)


def _style(size: float, leading: float, font: str = REGULAR, color: Color = INK) -> ParagraphStyle:
    return ParagraphStyle(
        f"{font} {size}", fontName=font, fontSize=size, leading=leading, textColor=color
    )


TITLE = _style(19, 24, BOLD)
INSTITUTION = _style(9, 13, color=ACCENT)
HEADING = _style(9, 12, BOLD, ACCENT)
FIGURE = _style(15, 21, BOLD)
BODY = _style(9, 12.5)
STRONG = _style(9, 12.5, BOLD)
LABEL = _style(7.5, 10, color=MUTED)
SMALL = _style(7.5, 10, color=MUTED)
HASH = _style(8.5, 12.5, color=MUTED)
FOOT = _style(7, 9, color=MUTED)


def right(style: ParagraphStyle) -> ParagraphStyle:
    """Return a style aligned to the right: figures of a column."""
    return ParagraphStyle(f"{style.name} right", parent=style, alignment=2)


def register_fonts() -> None:
    """Make the fonts known to the PDF library; needed once a process, harmless again."""
    # Pictures and text as plain binary streams: a fifth smaller than as ASCII.
    rl_config.useA85 = 0
    for name, file in ((REGULAR, "LiberationSans-Regular"), (BOLD, "LiberationSans-Bold")):
        if name not in pdfmetrics.getRegisteredFontNames():
            path = Path(__file__).parent / "fonts" / f"{file}.ttf"
            pdfmetrics.registerFont(TTFont(name, str(path)))


@functools.cache
def glyphs() -> frozenset[int]:
    """Return the code points that both weights of the font have a shape for."""
    regular, bold = (cast("TTFont", pdfmetrics.getFont(name)) for name in (REGULAR, BOLD))
    return frozenset(regular.face.charToGlyph) & frozenset(bold.face.charToGlyph)
