"""The waiting room: bounded, first come first served, and no work for those who left."""

from __future__ import annotations  # gRPC's classes are generic for type checkers only

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from grpc import aio

from services.reports.errors import AbandonedError, DeadlinePassedError, TooManyWaitingError
from services.reports.renderers import _FIRST_GUESS_OF_LONG_S, Renderers
from tests.reports.conftest import MAX_HELD_BYTES

PATIENCE_S = 120
"""What is waited for in tests that do not ask how long it takes: a busy machine is no fault."""


async def until(seen: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not seen():  # noqa: ASYNC110 - a test may poll
            await asyncio.sleep(0.005)


async def has_come(call: aio.UnaryUnaryCall[Any, Any], seen: Callable[[], bool]) -> bool:
    """Wait until a call has come to where it is seen; False where its deadline was over before."""
    await until(lambda: seen() or call.done())
    return seen()


async def until_waiting(renderers: Renderers, count: int) -> None:
    await until(lambda: renderers.waiting == count)


@pytest.fixture
async def gate(renderers: Renderers) -> AsyncIterator[threading.Event]:
    """Keep the only renderer busy until the gate is opened."""
    event = threading.Event()
    began = threading.Event()

    def work() -> bool:
        began.set()
        return event.wait(PATIENCE_S)

    task = asyncio.create_task(renderers.run(work, None))
    assert await asyncio.to_thread(began.wait, PATIENCE_S)
    yield event
    event.set()
    await task


async def test_those_who_wait_are_served_in_order(
    renderers: Renderers, gate: threading.Event
) -> None:
    served: list[str] = []
    waiting = asyncio.create_task(renderers.run(lambda: served.append("first"), None))
    await until_waiting(renderers, 1)
    gate.set()
    await waiting
    await renderers.run(lambda: served.append("second"), None)
    assert served == ["first", "second"]


async def test_a_full_waiting_room_refuses_at_once(
    renderers: Renderers, gate: threading.Event
) -> None:
    waiting = asyncio.create_task(renderers.run(lambda: "done", None))
    await until_waiting(renderers, 1)
    with pytest.raises(TooManyWaitingError) as caught:
        await renderers.run(lambda: "never", None)
    assert caught.value.retry_after_s > 0
    gate.set()
    assert await waiting == "done"


async def test_who_left_while_waiting_is_not_served(
    renderers: Renderers, gate: threading.Event
) -> None:
    served: list[str] = []
    waiting = asyncio.create_task(renderers.run(lambda: served.append("left"), None))
    await until_waiting(renderers, 1)
    waiting.cancel()
    await until_waiting(renderers, 0)
    gate.set()
    await renderers.run(lambda: served.append("stayed"), None)
    assert served == ["stayed"]


async def test_who_left_while_served_keeps_the_place_until_the_thread_is_done(
    renderers: Renderers,
) -> None:
    gate, began = threading.Event(), threading.Event()

    def work() -> None:
        began.set()
        gate.wait(PATIENCE_S)

    running = asyncio.create_task(renderers.run(work, None))
    assert await asyncio.to_thread(began.wait, PATIENCE_S)
    running.cancel()
    following = asyncio.create_task(renderers.run(lambda: "next", None))
    await until_waiting(renderers, 1)
    assert not following.done()
    gate.set()
    assert await following == "next"


async def test_a_deadline_that_passes_while_waiting_ends_the_wait(
    renderers: Renderers, gate: threading.Event
) -> None:
    served: list[str] = []
    with pytest.raises(DeadlinePassedError):
        await renderers.run(lambda: served.append("late"), within_s=0.02)
    gate.set()
    await renderers.run(lambda: None, None)
    assert served == []
    assert renderers.waiting == 0


@pytest.mark.parametrize("within_s", [0.0, -1.0])
async def test_work_whose_deadline_has_passed_is_not_begun_though_there_is_a_place(
    renderers: Renderers, within_s: float
) -> None:
    served: list[str] = []
    with pytest.raises(DeadlinePassedError):
        await renderers.run(lambda: served.append("late"), within_s)
    await renderers.run(lambda: None, None)
    assert served == []


async def test_work_that_fails_gives_its_place_back(renderers: Renderers) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            await renderers.run(fail, None)
    assert await renderers.run(lambda: "served", None) == "served"


async def test_work_that_does_not_get_to_its_end_teaches_nothing_of_the_usual_time(
    two: Renderers,
) -> None:
    def fail() -> None:
        raise AbandonedError

    for _ in range(12):
        with pytest.raises(AbandonedError):
            await two.run(fail, None, is_long=True)

    long = [Gated(two, is_long=True) for _ in range(5)]
    await long[0].begun()
    await until_waiting(two, 4)
    with pytest.raises(TooManyWaitingError) as caught:
        await two.run(lambda: None, None, is_long=True)
    for each in long:
        await each.end()
    assert caught.value.retry_after_s == 5 * _FIRST_GUESS_OF_LONG_S


class Gated:
    """Work that begins when its turn has come, and ends when it is let go."""

    def __init__(self, renderers: Renderers, *, is_long: bool, size: int = 0) -> None:
        self.began, self.gate = threading.Event(), threading.Event()
        running = renderers.run(self._work, None, size=size, is_long=is_long)
        self.task = asyncio.create_task(running)

    def _work(self) -> None:
        self.began.set()
        self.gate.wait(PATIENCE_S)

    async def begun(self) -> None:
        assert await asyncio.to_thread(self.began.wait, PATIENCE_S)

    async def end(self) -> None:
        self.gate.set()
        await self.task


@pytest.fixture
def two() -> Iterator[Renderers]:
    """Two renderers, and room for eight who wait."""
    built = Renderers(max_concurrent=2, max_waiting=8, max_held_bytes=MAX_HELD_BYTES)
    yield built
    built.close()


async def test_long_work_takes_one_renderer_and_leaves_the_other_to_short_work(
    two: Renderers,
) -> None:
    long = Gated(two, is_long=True)
    await long.begun()
    second = Gated(two, is_long=True)
    await until_waiting(two, 1)
    assert await two.run(lambda: "short", None) == "short"
    assert not second.began.is_set()
    await long.end()
    await second.begun()
    await second.end()


async def test_long_work_whose_turn_has_come_goes_before_short_work_that_came_later(
    two: Renderers,
) -> None:
    long, short = Gated(two, is_long=True), Gated(two, is_long=False)
    await long.begun()
    await short.begun()
    second = Gated(two, is_long=True)
    await until_waiting(two, 1)
    later = Gated(two, is_long=False)
    await until_waiting(two, 2)
    await long.end()
    await second.begun()
    assert not later.began.is_set()
    await second.end()
    await later.begun()
    await short.end()
    await later.end()


async def test_long_work_fills_half_of_the_waiting_room(two: Renderers) -> None:
    at_work = [Gated(two, is_long=True), Gated(two, is_long=False)]
    for each in at_work:
        await each.begun()
    waiting = [Gated(two, is_long=True) for _ in range(4)]
    await until_waiting(two, 4)
    with pytest.raises(TooManyWaitingError) as caught:
        await two.run(lambda: None, None, is_long=True)
    assert caught.value.retry_after_s > 0
    waiting += [Gated(two, is_long=False) for _ in range(4)]
    await until_waiting(two, 8)
    for each in (*at_work, *waiting):
        await each.end()


async def test_long_work_that_is_given_up_while_it_waits_leaves_its_place_to_the_next(
    two: Renderers,
) -> None:
    long = Gated(two, is_long=True)
    await long.begun()
    left = Gated(two, is_long=True)
    await until_waiting(two, 1)
    left.task.cancel()
    await until_waiting(two, 0)
    following = Gated(two, is_long=True)
    await until_waiting(two, 1)
    await long.end()
    await following.begun()
    await following.end()
    assert not left.began.is_set()
