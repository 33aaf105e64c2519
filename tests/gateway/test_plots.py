"""Small plots of a figure over time."""

from datetime import UTC, datetime

import pytest

from services.gateway.web.plots import Plot

DAYS = [datetime(2026, 1, day, 9, 30, tzinfo=UTC) for day in (1, 3, 4, 21)]


def test_what_lies_ten_times_as_far_apart_in_time_does_so_in_the_plot() -> None:
    plot = Plot.of("Share", [(day, 0.5) for day in DAYS])

    first, second, third, last = plot.times
    assert last - first == pytest.approx(10 * (second - first))
    assert third - second == pytest.approx((second - first) / 2)
    assert plot.ends == ("2026-01-01", "2026-01-21")
    assert [dot.x for dot in plot.dots] == [*plot.times]


def test_no_line_is_drawn_over_a_time_of_which_nothing_is_known() -> None:
    plot = Plot.of("Share", list(zip(DAYS, (0.1, None, 0.4, 0.2), strict=True)), 1.0)

    assert [len(line.split()) for line in plot.lines] == [1, 2]
    assert len(plot.times) == 4


@pytest.mark.parametrize(
    ("last", "ends"),
    [
        (DAYS[0].replace(hour=15), ("2026-01-01 09:30 UTC", "2026-01-01 15:30 UTC")),
        (DAYS[0].replace(second=1), ("2026-01-01 09:30 UTC", "2026-01-01 09:30 UTC")),
        (DAYS[0], ("2026-01-01 09:30 UTC",)),
    ],
)
def test_where_all_is_of_one_day_its_hours_are_told(last: datetime, ends: tuple[str, ...]) -> None:
    assert Plot.of("Share", [(DAYS[0], 0.1), (last, 0.2)]).ends == ends


def test_a_plot_of_what_is_never_known_has_a_time_and_nothing_in_it() -> None:
    plot = Plot.of("Share", [(day, None) for day in DAYS])

    assert (plot.dots, plot.lines, len(plot.times)) == ((), [], 4)
