import heapq

from hypothesis import given
from hypothesis import strategies as st

from services.inference.schedule import Schedule

TIMES = st.sampled_from([0.0, 0.0, 0.25, 0.5, 1.0, 3.0, 8.0])


@given(
    free_in_s=st.lists(TIMES, min_size=1, max_size=6),
    deals=st.lists(st.tuples(st.integers(0, 40), TIMES), max_size=4),
)
def test_whole_rounds_are_reckoned_up_as_if_each_batch_went_to_whoever_is_free_first(
    free_in_s: list[float], deals: list[tuple[int, float]]
) -> None:
    schedule, played = Schedule(free_in_s), sorted(free_in_s)
    for batches, seconds in deals:
        end = played[0]
        for _ in range(batches if seconds else 0):
            end = played[0] + seconds
            heapq.heapreplace(played, end)
        assert schedule.deal(batches, seconds) == end
        assert schedule.next_s == played[0]


def test_ten_billion_batches_are_reckoned_up_at_once() -> None:
    assert Schedule([0.5, 0.0, 0.25]).deal(10_000_000_000, 3.0) == 3_333_333_334 * 3.0
