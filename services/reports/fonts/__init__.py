"""The fonts that travel with the service, and those that an operator adds to them."""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, cast

from reportlab import rl_config
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont

from services.reports.errors import UnusableFontError

REGULAR = "LiberationSans"
BOLD = "LiberationSans-Bold"
_ARABIC = {REGULAR: "NotoSansArabic", BOLD: "NotoSansArabic-Bold"}
_ADDED = "Added"

_FILES = {
    REGULAR: "LiberationSans-Regular",
    BOLD: "LiberationSans-Bold",
    _ARABIC[REGULAR]: "NotoSansArabic-Regular",
    _ARABIC[BOLD]: "NotoSansArabic-Bold",
}


class Face(NamedTuple):
    """A font, and the code points that it has a shape for."""

    font: str
    glyphs: frozenset[int]


def register(added: Sequence[Path] = ()) -> None:
    """Make the fonts known to the PDF library; needed once a process, harmless again.

    Args:
        added: TrueType files for scripts that ours have no letters of, best first.

    Raises:
        UnusableFontError: a file cannot be read, or may not be put into a PDF.

    """
    # Pictures and text as plain binary streams: a fifth smaller than as ASCII.
    rl_config.useA85 = 0
    for name, file in _FILES.items():
        _register(name, Path(__file__).parent / f"{file}.ttf")
    for number, path in enumerate(added):
        _register(f"{_ADDED}{number}", path)
    faces.cache_clear()


def paths(listed: str) -> list[Path]:
    """Return the files of a setting's list, which commas separate."""
    return [Path(each.strip()) for each in listed.split(",") if each.strip()]


@functools.cache
def faces(font: str) -> tuple[Face, ...]:
    """Return the fonts that a text may be set in, the first that has a letter sets it.

    Args:
        font: ``REGULAR`` or ``BOLD``.

    """
    known = pdfmetrics.getRegisteredFontNames()
    numbers = (name.removeprefix(_ADDED) for name in known if name.startswith(_ADDED))
    added = [f"{_ADDED}{number}" for number in sorted(numbers, key=int)]
    return tuple(Face(name, _glyphs(name)) for name in (font, _ARABIC[font], *added))


def _register(name: str, path: Path) -> None:
    if name in pdfmetrics.getRegisteredFontNames():
        return
    try:
        pdfmetrics.registerFont(TTFont(name, str(path)))
    except (OSError, TTFError) as error:
        raise UnusableFontError(str(path), str(error)) from error


def _glyphs(name: str) -> frozenset[int]:
    return frozenset(cast("TTFont", pdfmetrics.getFont(name)).face.charToGlyph)
