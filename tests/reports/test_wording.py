"""Figures and sentences in careful words."""

import dataclasses
import datetime as dt
import string
from collections.abc import Iterator, Mapping, Sequence
from typing import get_args

import pytest

from services.gateway.findings import LABEL_NAMES
from services.gateway.routes.lesions import BodySite
from services.inference.analysis import NOTICE
from services.reports.lettering import Lettering
from services.reports.wordings import WORDINGS, Wording

ENGLISH, GERMAN = WORDINGS["en"], WORDINGS["de"]


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (0.0, "0.0 %"),
        (0.0004, "< 0.1 %"),
        (0.001, "0.1 %"),
        (0.9016, "90.2 %"),
        (0.9996, "> 99.9 %"),
        (1.0, "100.0 %"),
        (1.0000001, "100.0 %"),
    ],
)
def test_no_rounding_makes_an_event_impossible_or_certain(share: float, shown: str) -> None:
    assert ENGLISH.percent(share) == shown


@pytest.mark.parametrize(
    ("share", "shown"), [(0.3, "30 %"), (0.125, "12.5 %"), (0.123456, "12.3456 %"), (0, "0 %")]
)
def test_an_operating_point_keeps_its_decimals(share: float, shown: str) -> None:
    assert ENGLISH.threshold(share) == shown


def test_a_moment_is_told_in_english_wherever_the_machine_stands() -> None:
    time = dt.datetime(2026, 3, 5, 7, 4, tzinfo=dt.UTC)
    assert ENGLISH.moment(time) == "5 March 2026, 07:04 UTC"


def test_figures_and_days_are_told_in_german_as_germans_write_them() -> None:
    time = dt.datetime(2026, 3, 5, 7, 4, tzinfo=dt.UTC)
    assert GERMAN.moment(time) == "5. März 2026, 07:04 UTC"
    assert GERMAN.percent(0.9016) == "90,2 %"
    assert GERMAN.percent(0.0004) == "< 0,1 %"
    assert GERMAN.threshold(0.125) == "12,5 %"
    assert GERMAN.number(0.1, 2) == "0,10"


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        (0.0, 0.0123, "+1.2"),
        (0.15, 0.1, "\N{MINUS SIGN}5.0"),
        (0.3, 0.3, "0.0"),
        (0.3, 0.2999, "0.0"),
        (0.1004, 0.1016, "+0.2"),  # 10.0 % and 10.2 %, though 0.12 lie between them
        (0.1016, 0.1004, "\N{MINUS SIGN}0.2"),
    ],
)
def test_a_change_has_its_sign_and_is_that_of_the_shares_as_they_are_shown(
    before: float, after: float, shown: str
) -> None:
    assert ENGLISH.points(before, after) == shown


def words(value: object) -> Iterator[tuple[str, str]]:
    """Return each text of a language, with where it stands."""
    if isinstance(value, str):
        yield "", value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from ((f".{key}{path}", text) for path, text in words(inner))
    elif isinstance(value, Sequence):
        for index, inner in enumerate(value):
            yield from ((f".{index}{path}", text) for path, text in words(inner))


def table(wording: Wording) -> dict[str, str]:
    fields = {each.name: getattr(wording, each.name) for each in dataclasses.fields(wording)}
    return dict(words(fields))


def test_every_language_has_the_same_texts_and_fills_the_same_into_them() -> None:
    english, german = table(ENGLISH), table(GERMAN)
    assert english.keys() == german.keys()
    assert all(text.strip() for text in (*english.values(), *german.values()))
    for place, text in english.items():
        assert filled(text) == filled(german[place]), place


def filled(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_language_can_print_its_own_words() -> None:
    for wording in WORDINGS.values():
        lettering = Lettering(wording.missing_letters, wording.and_more)
        for text in table(wording).values():
            lettering.drawable(text)
        assert lettering.footnote() == ""


def test_no_language_speaks_of_diagnosis_but_to_deny_it() -> None:
    for wording in WORDINGS.values():
        said = {text for place, text in table(wording).items() if not place.startswith(".notices")}
        assert not [text for text in said if "diagnos" in text.lower()]


def test_what_other_rooms_say_is_known_in_every_language() -> None:
    sites = get_args(BodySite)
    for wording in WORDINGS.values():
        assert wording.notices.keys() == {NOTICE}
        assert wording.labels.keys() == LABEL_NAMES.keys()
        assert set(wording.sites) == set(sites)
        assert {measure.field for measure in wording.measures} == {
            "area_fraction",
            "asymmetry",
            "border_irregularity",
            "color_variegation",
        }
    assert ENGLISH.labels == LABEL_NAMES
