"""The waiting room: bounded, first come first served, and no work for those who left."""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from services.reports.errors import DeadlinePassedError, TooManyWaitingError
from services.reports.renderers import Renderers


async def until_waiting(renderers: Renderers, count: int) -> None:
    while renderers.waiting != count:  # noqa: ASYNC110 - a test may poll
        await asyncio.sleep(0.005)


@pytest.fixture
async def gate(renderers: Renderers) -> AsyncIterator[threading.Event]:
    """Keep the only renderer busy until the gate is opened."""
    event = threading.Event()
    began = threading.Event()

    def work() -> bool:
        began.set()
        return event.wait(10)

    task = asyncio.create_task(renderers.run(work, None))
    await asyncio.to_thread(began.wait, 10)
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
        gate.wait(10)

    running = asyncio.create_task(renderers.run(work, None))
    await asyncio.to_thread(began.wait, 10)
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


async def test_work_that_fails_gives_its_place_back(renderers: Renderers) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            await renderers.run(fail, None)
    assert await renderers.run(lambda: "served", None) == "served"
