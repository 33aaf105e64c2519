"""How the page looks: sizes, colors, measures. All lengths are in points (1/72 inch)."""

from reportlab.lib.colors import Color, HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle

from services.reports.fonts import BOLD, REGULAR

PAGE_WIDTH, PAGE_HEIGHT = A4
MARGIN = 48.0
TOP = 46.0
BOTTOM = 26.0
TEXT_WIDTH = PAGE_WIDTH - 2 * MARGIN
GAP = 20.0
"""Between columns."""
HALF_WIDTH = (TEXT_WIDTH - GAP) / 2

BLACK = HexColor(0x000000)
INK = HexColor(0x1B2733)
MUTED = HexColor(0x5A6875)
RULE = HexColor(0xD3DBE1)
ACCENT = HexColor(0x1F5D78)
TRACK = HexColor(0xEBF0F3)
BAR = HexColor(0x9DB4C0)
CALM_TINT = HexColor(0xF1F5F8)
ALERT = HexColor(0xB45F06)
ALERT_TINT = HexColor(0xFDF3E7)
MACHINE = HexColor(0x6B5B95)
MACHINE_TINT = HexColor(0xF5F3FA)


def _style(
    size: float, leading: float, font: str = REGULAR, color: Color = INK, role: str = "P"
) -> ParagraphStyle:
    """Return a style whose text is a paragraph to screen readers unless its role says otherwise."""
    style = ParagraphStyle(
        f"{font} {size}", fontName=font, fontSize=size, leading=leading, textColor=color
    )
    style.role = role
    return style


TITLE = _style(19, 24, BOLD, role="H1")
INSTITUTION = _style(9, 13, color=ACCENT)
HEADING = _style(9, 12, BOLD, ACCENT, role="H2")
FIGURE = _style(15, 21, BOLD)
BODY = _style(9, 12.5)
STRONG = _style(9, 12.5, BOLD)
LABEL = _style(7.5, 10, color=MUTED)
ALERT_NOTE = _style(7.5, 10, BOLD, ALERT)
SMALL = _style(7.5, 10, color=MUTED)
FINE = _style(8, 10.5)
HASH = _style(8, 10.5, color=MUTED)
TINY = _style(6, 7.5, color=MUTED)
FOOT = _style(7, 9, color=MUTED)


def right(style: ParagraphStyle) -> ParagraphStyle:
    """Return a style aligned to the right: figures of a column."""
    return ParagraphStyle(f"{style.name} right", parent=style, alignment=2)
