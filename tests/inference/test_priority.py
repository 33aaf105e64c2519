import asyncio

import pytest

from services.inference.batcher import Batcher
from services.inference.priority import Priority, Turns, Urgency
from services.inference.runners import Runners
from tests.inference.batching import BULK, Busy
from tests.inference.hardware import Hardware, Tally
from tests.virtual_time import play


def test_interactive_rows_go_first_and_one_row_in_eight_is_bulk() -> None:
    async def scene() -> list[list[int]]:
        busy = Busy()
        await asyncio.sleep(0)
        bulk = [busy.ask(-row) for row in (1, 2, 3)]
        interactive = [busy.ask(row, Urgency()) for row in range(1, 21)]
        await asyncio.gather(*bulk, *interactive)
        return busy.hardware.batches

    order = [row for batch in play(scene()) for row in batch]
    assert order == [0, *range(1, 8), -1, *range(8, 15), -2, *range(15, 21), -3]


def test_whoever_was_served_before_bulk_came_has_passed_it_by_no_more_than_once() -> None:
    async def scene() -> list[list[int]]:
        busy = Busy()
        await asyncio.gather(*[busy.ask(100 + row, Urgency()) for row in range(20)])
        last = busy.ask(99, Urgency())
        await asyncio.sleep(0.5)
        bulk = busy.ask(-1)
        interactive = [busy.ask(row, Urgency()) for row in range(1, 9)]
        await asyncio.gather(last, bulk, *interactive)
        return busy.hardware.batches

    order = [row for batch in play(scene()) for row in batch]
    assert order[-10:] == [99, *range(1, 7), -1, 7, 8]


def test_batchers_on_the_same_hardware_serve_who_came_first() -> None:
    async def scene() -> list[int]:
        runners, hardware = Runners(1), Hardware(lambda _: 1.0)
        one = Batcher(hardware.run, runners, Tally(), max_batch_size=1)
        other = Batcher(hardware.run, runners, Tally(), max_batch_size=1)
        asked = []
        for row, batcher in enumerate([one, other, other, one, other, one]):
            asked.append(asyncio.create_task(batcher.submit(row)))
            await asyncio.sleep(0.01)
        await asyncio.gather(*asked)
        return [row for batch in hardware.batches for row in batch]

    assert play(scene()) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("run_s", [0.0, 1.0, 5.0, 100.0])
def test_bulk_that_fills_up_a_batch_makes_it_a_seventh_longer_at_most(run_s: float) -> None:
    def seconds(rows: int) -> float:
        return rows + run_s

    async def scene() -> float:
        batcher = Batcher(Hardware(seconds).run, Runners(1), Tally(), max_batch_size=32)
        for rows in (1, 32) * 30:
            batcher.sizing.cost.learn(rows, seconds(rows), 0)
        loop = asyncio.get_running_loop()
        bulk = [asyncio.create_task(batcher.submit(-row, BULK)) for row in range(100)]
        await asyncio.sleep(0.5)
        asked = [asyncio.create_task(batcher.submit(row)) for row in (1, 2)]
        began_s = batcher.runners.schedule(loop.time()).next_s + loop.time()
        await asyncio.gather(*asked)
        took_s = loop.time() - began_s
        await asyncio.gather(*bulk)
        return took_s

    assert play(scene()) <= 8 / 7 * seconds(2) * 1.1


def test_bulk_that_comes_to_a_long_line_has_its_turn_after_seven() -> None:
    turns = Turns()
    assert turns.before(Priority.BULK, interactive=60, bulk=0) == (7, 0)
    assert turns.before(Priority.BULK, interactive=60, bulk=2) == (21, 2)
    assert turns.before(Priority.INTERACTIVE, interactive=20, bulk=9) == (20, 2)
    for _ in range(5):
        turns.took(Priority.INTERACTIVE)
    assert turns.before(Priority.BULK, interactive=60, bulk=0) == (2, 0)
    assert turns.before(Priority.INTERACTIVE, interactive=2, bulk=9) == (2, 1)
