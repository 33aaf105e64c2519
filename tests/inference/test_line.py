import asyncio
import math
import random

from services.inference.line import Line, Waiting
from services.inference.priority import Priority, Request
from tests.virtual_time import play


def row(since: float, priority: Priority = Priority.INTERACTIVE) -> Waiting[float]:
    future = asyncio.get_running_loop().create_future()
    return Waiting(since, math.inf, priority, since, since, future, Request())


def test_whose_request_came_first_is_first_however_late_the_row_itself_arrived() -> None:
    async def scene() -> list[float]:
        line: Line[float] = Line()
        for since in (3.0, 1.0, 2.0, 1.0):
            line.add(row(since))
        line.add(row(0.0, Priority.BULK))
        order = []
        while (first := line.oldest(Priority.INTERACTIVE)) is not None:
            assert line.remove(first)
            order.append(first.row)
        assert len(line) == line.count(Priority.BULK) == 1
        return order

    assert play(scene()) == [1.0, 1.0, 2.0, 3.0]


def test_rows_of_the_same_moment_keep_the_order_in_which_they_arrived() -> None:
    async def scene() -> None:
        line: Line[float] = Line()
        rows = [row(1.0) for _ in range(5)]
        for each in rows:
            line.add(each)
        assert line.remove(rows[2])
        assert not line.remove(rows[2])
        assert [line.count(Priority.INTERACTIVE, since) for since in (0.9, 1.0)] == [0, 4]
        for each in (rows[0], rows[1], rows[3], rows[4]):
            assert line.oldest(Priority.INTERACTIVE) is each
            line.remove(each)

    play(scene())


def test_whoever_leaves_is_gone_and_the_others_keep_their_places() -> None:
    async def scene() -> None:
        chance = random.Random(5)  # noqa: S311 - a simulation
        line: Line[float] = Line()
        rows = [row(float(chance.randrange(6))) for _ in range(60)]
        for each in rows:
            line.add(each)
        inside = set(map(id, rows))
        for each in chance.sample(rows, 60):
            assert line.remove(each)
            inside.discard(id(each))
            assert len(line) == len(inside)
            first = line.oldest(Priority.INTERACTIVE)
            assert first is None or id(first) in inside

    play(scene())
