"""What a table of many people is made of."""

import pytest

from benchmarks import hospital


@pytest.mark.parametrize(
    ("share", "expected"), [(0.5, 20), (0.9, 30), (0.95, 400), (1, 400), (0, 10)]
)
def test_a_quantile_is_the_time_that_so_many_took_at_most(share: float, expected: float) -> None:
    assert hospital.quantile({30: 4, 10: 1, 400: 1, 20: 4}, share) == expected


def test_the_quantile_of_nothing_is_nothing() -> None:
    assert hospital.quantile({}, 0.5) == 0
