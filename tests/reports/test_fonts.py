"""The fonts of the page, and those that operators add."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from reportlab.pdfbase import pdfmetrics

from services.reports import fonts
from services.reports.__main__ import main
from services.reports.errors import UnusableFontError
from tests.reports import messages
from tests.reports.reading import text

ZHANG = 0x5F20


def font_with(code_point: int, path: Path) -> Path:
    """Draw a TrueType font with a square for one letter."""
    pen = TTGlyphPen(None)
    pen.moveTo((100, 0))
    for corner in ((100, 800), (900, 800), (900, 0)):
        pen.lineTo(corner)
    pen.closePath()
    empty = TTGlyphPen(None).glyph()
    builder = FontBuilder(1000)
    builder.setupGlyphOrder([".notdef", "space", "letter"])
    builder.setupCharacterMap({0x20: "space", code_point: "letter"})
    builder.setupGlyf({".notdef": empty, "space": empty, "letter": pen.glyph()})
    builder.setupHorizontalMetrics(dict.fromkeys((".notdef", "space", "letter"), (1000, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Square", "styleName": "Regular", "psName": "Square"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(path)
    return path


@pytest.fixture
def _added(tmp_path: Path) -> Iterator[None]:
    fonts.register([font_with(ZHANG, tmp_path / "square.ttf")])
    yield
    # The PDF library keeps fonts for good; other tests must not find this one.
    for name in [name for name in pdfmetrics.getRegisteredFontNames() if name.startswith("Added")]:
        pdfmetrics.getFont(name).unregister()  # type: ignore[attr-defined]
    fonts.register()


@pytest.mark.usefixtures("_added")
def test_a_font_that_was_added_prints_what_ours_lack() -> None:
    request = messages.assessed()
    request.analysis.patient.name = "张 Zoë 伟"
    shown = text(request)
    assert "Patient 张 Zoë [U+4F1F]" in shown
    assert "lacks: [U+4F1F]." in shown


def test_a_list_of_fonts_is_read_with_its_blanks() -> None:
    assert fonts.paths(" /a.ttf, /b c.ttf ,") == [Path("/a.ttf"), Path("/b c.ttf")]
    assert fonts.paths("") == []


@pytest.mark.parametrize("content", [None, b"", b"OTTO" + bytes(100), b"no font"])
def test_a_font_that_cannot_be_used_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "broken.ttf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnusableFontError, match=r"broken\.ttf cannot be used"):
        fonts.register([path])


def test_a_process_with_a_font_that_cannot_be_used_does_not_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("PORT", "METRICS_PORT"):
        monkeypatch.setenv(f"DERMSERVE_REPORTS_{name}", "0")
    monkeypatch.setenv("DERMSERVE_REPORTS_FONTS", "/nowhere/font.ttf")
    assert main() == 2
    assert "reports cannot start: the font /nowhere/font.ttf cannot be used" in (
        capsys.readouterr().err
    )


def test_added_fonts_are_asked_in_the_order_in_which_they_were_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    added = [f"Added{number}" for number in range(12)]
    monkeypatch.setattr(pdfmetrics, "getRegisteredFontNames", lambda: sorted(added))
    monkeypatch.setattr(fonts, "_glyphs", lambda _: frozenset())
    asked = fonts.faces.__wrapped__(fonts.REGULAR)
    assert [face.font for face in asked][2:] == added
