import random
from collections.abc import Callable, Sequence

import pytest

from services.inference.sizing import Sizing, best


def on_cpu(rows: int) -> float:
    return 10.0 * rows


def on_gpu(rows: int) -> float:
    return 0.4 * rows + 8


@pytest.mark.parametrize("waiting", [1, 2, 5, 8, 40])
def test_where_rows_are_all_that_costs_they_run_one_by_one_side_by_side(waiting: int) -> None:
    assert best(waiting, 2, 8, on_cpu) == 1


@pytest.mark.parametrize("waiting", [1, 2, 5, 8, 40])
def test_where_the_run_is_most_of_the_cost_batches_are_full(waiting: int) -> None:
    assert best(waiting, 1, 8, on_gpu) == min(waiting, 8)


def test_where_runs_cost_something_they_grow_with_what_waits() -> None:
    def halfway(rows: int) -> float:
        return rows + 0.5

    sizes = [best(waiting, 1, 64, halfway) for waiting in (1, 4, 16, 64, 256)]
    assert sizes == sorted(sizes)
    assert sizes[0] == 1 < sizes[-1] < 64


def test_runners_share_what_waits_while_a_lone_run_would_leave_one_idle() -> None:
    assert best(4, 2, 8, lambda rows: rows + 1) == 2


def test_one_batch_in_many_explores_a_neighboring_size_unless_somebody_is_in_a_hurry() -> None:
    for slack_s, explored in ((1e9, (16, 2)), (15, (0, 0))):
        sizing = Sizing(2, 8, padded=False)
        for rows in (1, 8) * 10:
            sizing.cost.learn(rows, on_cpu(rows), 0)
        first = [sizing.next(4, slack_s) for _ in range(128)]
        later = [sizing.next(4, slack_s) for _ in range(256)]
        assert (first.count(2), later.count(2)) == explored
        assert set(first + later) <= {1, 2}


@pytest.mark.parametrize(("largest", "shapes"), [(1, (1,)), (6, (1, 2, 4, 6)), (8, (1, 2, 4, 8))])
def test_padded_batches_have_few_shapes(largest: int, shapes: tuple[int, ...]) -> None:
    sizing = Sizing(1, largest, padded=True)
    assert sizing.shapes == shapes
    assert all(sizing.shape(rows) >= rows for rows in range(1, largest + 1))
    assert Sizing(1, 3, padded=False).shapes == (1, 2, 3)


def chosen(
    seconds: Sequence[Callable[[int], float]], *, runners: int, noise: float, waiting: int = 14
) -> list[int]:
    """Let batches run, with what they cost in each of them, and return their sizes.

    What is known before is from a warm-up that found the hardware idle.
    """
    chance = random.Random(4)  # noqa: S311 - a simulation
    sizing = Sizing(runners, 8, padded=False)
    for rows in (1, 4):
        sizing.cost.learn(rows, seconds[0](rows), 0)
    sizes = []
    for moment, cost in enumerate(seconds):
        size = sizing.next(waiting, 1e9)
        sizing.cost.learn(size, cost(size) * chance.lognormvariate(0, noise), moment / 100)
        sizes.append(size)
    return sizes


@pytest.mark.parametrize("load", [1.3, 2, 4])
def test_a_load_that_comes_after_the_warm_up_does_not_line_rows_up(load: float) -> None:
    sizes = chosen([on_cpu, *400 * [lambda rows: load * on_cpu(rows)]], runners=2, noise=0.15)
    assert sizes[200:].count(1) > 0.95 * 200


def test_when_a_graphics_card_is_lost_rows_soon_run_one_by_one() -> None:
    sizes = chosen(200 * [on_gpu] + 500 * [on_cpu], runners=1, noise=0.15)
    assert sizes[100:200].count(8) > 90
    assert sizes[500:].count(1) > 0.95 * 200
