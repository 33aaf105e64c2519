"""Figures and sentences in careful words."""

import datetime as dt

import pytest

from services.reports import wording


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
    assert wording.percent(share) == shown


@pytest.mark.parametrize(
    ("share", "shown"), [(0.3, "30 %"), (0.125, "12.5 %"), (0.123456, "12.3456 %"), (0, "0 %")]
)
def test_an_operating_point_keeps_its_decimals(share: float, shown: str) -> None:
    assert wording.threshold(share) == shown


def test_a_moment_is_told_in_english_wherever_the_machine_stands() -> None:
    time = dt.datetime(2026, 3, 5, 7, 4, tzinfo=dt.UTC)
    assert wording.moment(time) == "5 March 2026, 07:04 UTC"
