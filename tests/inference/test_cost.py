import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.inference.cost import Cost

Line = Callable[[int], float]


def learned(*runs: tuple[int, float]) -> Cost:
    cost = Cost()
    for moment, (rows, seconds) in enumerate(runs):
        cost.learn(rows, seconds, moment)
    return cost


def on_cpu(rows: int) -> float:
    return 0.010 * rows


def on_gpu(rows: int) -> float:
    return 0.0004 * rows + 0.008


@pytest.mark.parametrize("truth", [on_cpu, on_gpu])
def test_the_line_is_found_from_a_few_batches_of_two_sizes(truth: Line) -> None:
    cost = learned(*[(rows, truth(rows)) for rows in (1, 8)] * 10)
    for rows in (1, 2, 8):
        assert cost.seconds(rows) == pytest.approx(truth(rows), rel=0.05)


@pytest.mark.parametrize("truth", [on_cpu, on_gpu])
def test_noise_and_outliers_move_it_little(truth: Line) -> None:
    chance = random.Random(1)  # noqa: S311 - a simulation
    runs = []
    for _ in range(400):
        rows = chance.choice([1, 1, 1, 2, 4, 8])
        outlier = 30 if chance.random() < 0.03 else 1
        runs.append((rows, truth(rows) * chance.lognormvariate(0, 0.1) * outlier))
    cost = learned(*runs)
    for rows in (1, 4, 8):
        assert cost.seconds(rows) == pytest.approx(truth(rows), rel=0.25)


@pytest.mark.parametrize("factor", [0.1, 10])
def test_a_change_that_stays_is_believed_within_a_dozen_runs(factor: float) -> None:
    cost = learned(*[(1, 0.01)] * 50, *[(1, 0.01 * factor)] * 12)
    assert cost.seconds(1) == pytest.approx(0.01 * factor, rel=0.3)


def test_a_cold_first_run_is_soon_forgotten() -> None:
    cost = learned((1, 2.0), *[(1, 0.01)] * 12)
    assert cost.seconds(1) == pytest.approx(0.01, rel=0.3)


def test_what_was_learned_of_large_batches_outlives_a_time_of_small_ones() -> None:
    seen = [(rows, on_gpu(rows)) for rows in (1, 8)] * 10
    cost = learned(*seen, *[(1, 3 * on_gpu(1))] * 2000)
    assert cost.seconds(8) == pytest.approx(3 * on_gpu(8), rel=0.1)


@given(
    st.lists(
        st.tuples(st.integers(1, 64), st.floats(0, 1e6, allow_nan=False)), min_size=1, max_size=60
    )
)
def test_whatever_was_measured_a_cost_is_finite_and_grows_with_the_batch(
    runs: list[tuple[int, float]],
) -> None:
    cost = learned(*runs)
    prices = [cost.seconds(rows) for rows in range(1, 65)]
    assert prices == sorted(prices)
    assert prices[0] > 0
    assert prices[-1] < float("inf")


def test_without_a_measurement_nothing_is_known_and_nothing_costs() -> None:
    assert Cost().seconds(8) == 0
    assert Cost().is_stale(0)
