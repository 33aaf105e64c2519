"""Text as the font can draw it."""

import pytest

from services.reports import styles
from services.reports.lettering import Lettering


@pytest.fixture
def lettering() -> Lettering:
    return Lettering(styles.glyphs())


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


def test_letters_that_would_be_drawn_in_the_wrong_order_are_marked(lettering: Lettering) -> None:
    assert lettering.drawable("א") == "[U+05D0]"


def test_a_line_is_cut_where_it_would_not_fit(lettering: Lettering) -> None:
    cut = lettering.line("word " * 50, styles.FOOT, width=100)
    assert cut.endswith("…")
    assert lettering.line("word", styles.FOOT, width=100) == "word"
