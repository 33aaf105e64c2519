"""Text as the font can draw it."""

import pytest

from services.reports import styles, wordings
from services.reports.lettering import Lettering
from services.reports.tags import Text


@pytest.fixture
def lettering() -> Lettering:
    english = wordings.of("en")
    return Lettering(english.missing_letters, english.and_more)


def test_text_that_the_font_has_needs_no_footnote(lettering: Lettering) -> None:
    assert lettering.drawable("Ωmega ≥ Żółć Дом") == "Ωmega ≥ Żółć Дом"
    assert lettering.footnote() == ""


def test_composed_and_decomposed_letters_are_set_alike(lettering: Lettering) -> None:
    assert lettering.drawable("Zoe\u0308") == "Zoë"


def test_white_space_of_any_kind_is_one_space(lettering: Lettering) -> None:
    assert lettering.drawable(" a\t\nb\u00a0\u2003c ") == "a b c"


def test_a_missing_letter_is_marked_once_in_the_footnote(lettering: Lettering) -> None:
    assert lettering.drawable("a张b张") == "a[U+5F20]b[U+5F20]"
    assert lettering.footnote().endswith("lacks: [U+5F20].")


def test_a_long_footnote_is_counted_not_listed(lettering: Lettering) -> None:
    lettering.drawable("".join(chr(0x4E00 + index) for index in range(20)))
    assert lettering.footnote().endswith("and 12 more.")


def test_what_would_turn_the_text_around_is_marked(lettering: Lettering) -> None:
    assert lettering.drawable("a\u202eb") == "a[U+202E]b"


def test_what_keeps_arabic_letters_apart_does_so_and_is_not_drawn(lettering: Lettering) -> None:
    assert lettering.drawable("\u0628\u200c\u0628") == "\ufe8f\ufe8f"
    assert lettering.footnote() == ""


def test_letters_are_joined_and_each_part_of_a_line_is_turned(lettering: Lettering) -> None:
    line = lettering.line(["مريم Smith", "אב 12", "P-0042"], styles.FOOT, width=500)
    assert line.getPlainText() == "Smith \ufee2\ufef3\ufeae\ufee3 · 12 בא · P-0042"


def test_a_line_is_cut_where_it_would_not_fit(lettering: Lettering) -> None:
    cut = lettering.line(["word " * 50, "next"], styles.FOOT, width=100)
    assert cut.getPlainText().endswith("…")
    assert lettering.line(["word", " ", "next"], styles.FOOT, width=100).getPlainText() == (
        "word · next"
    )


def test_turned_text_that_goes_on_on_another_page_is_read_once_and_whole(
    lettering: Lettering,
) -> None:
    written = " ".join(["\u0645\u0631\u064a\u0645"] * 60)
    paragraph = lettering.paragraph(written, styles.BODY)
    paragraph.wrap(100, 800)
    parts = paragraph.split(100, 40)
    assert [part.actual for part in parts if isinstance(part, Text)] == [written, ""]
