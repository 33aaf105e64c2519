"""Work in threads: bounded, and never left half done."""

import asyncio
import threading
import time

import pytest

from services.gateway.threads import Threads
from tests.gateway.clocks import pass_time


async def test_who_leaves_a_function_that_runs_keeps_its_thread_until_it_is_done() -> None:
    threads = Threads(1)
    begun, go_on, done = threading.Event(), threading.Event(), threading.Event()

    def slow() -> None:
        begun.set()
        go_on.wait(120)
        done.set()

    leaving = asyncio.create_task(threads.run(slow))
    next_one = asyncio.create_task(threads.run(done.is_set))
    assert await asyncio.to_thread(begun.wait, 60)
    leaving.cancel()
    await asyncio.wait({leaving, next_one}, timeout=0.05)

    assert not leaving.done()
    assert not next_one.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert await next_one


async def test_who_leaves_while_waiting_for_a_thread_never_gets_one() -> None:
    threads = Threads(1)
    begun, go_on, called = threading.Event(), threading.Event(), threading.Event()

    def slow() -> bool:
        begun.set()
        return go_on.wait(120)

    running = asyncio.create_task(threads.run(slow))
    waiting = asyncio.create_task(threads.run(called.set))
    assert await asyncio.to_thread(begun.wait, 60)

    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(waiting, 60)
    go_on.set()
    assert await running
    assert not called.is_set()


async def test_who_leaves_a_function_that_only_looks_goes_at_once() -> None:
    threads = Threads(1)
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> bool:
        begun.set()
        return go_on.wait(120)

    leaving = asyncio.create_task(threads.look(slow))
    assert await asyncio.to_thread(begun.wait, 60)
    leaving.cancel()

    try:
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(leaving, 60)
    finally:
        go_on.set()
    # The thread is of use again.
    assert await threads.run(begun.is_set)


@pytest.mark.parametrize("how", ["run", "look"])
async def test_a_function_that_hangs_is_left_and_its_thread_is_of_use_when_it_ends(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads, clock = Threads(1, within_s=3600), time.monotonic
    begun, go_on, called = threading.Event(), threading.Event(), threading.Event()

    def hang() -> None:
        begun.set()
        go_on.wait(120)

    hanging = asyncio.create_task(getattr(threads, how)(hang))
    assert await asyncio.to_thread(begun.wait, 60)
    waiting = asyncio.create_task(getattr(threads, how)(called.set))
    await asyncio.sleep(0)

    monkeypatch.setattr(time, "monotonic", lambda: clock() + 3601)

    # Who comes now is told at once: there is no thread that could be waited for.
    for each in (hanging, waiting, getattr(threads, how)(called.set)):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(each, 60)
    go_on.set()
    async with asyncio.timeout(60):
        while threads._since:  # noqa: ASYNC110 - a thread sets no event
            await asyncio.sleep(0.01)
    assert not called.is_set()
    assert await threads.run(begun.is_set)


async def test_who_leaves_a_function_that_hangs_waits_for_it_no_longer_than_others() -> None:
    threads = Threads(1, within_s=3600)
    begun, go_on = threading.Event(), threading.Event()

    def hang() -> None:
        begun.set()
        go_on.wait(120)

    leaving = asyncio.create_task(threads.run(hang))
    assert await asyncio.to_thread(begun.wait, 60)
    leaving.cancel()
    await asyncio.sleep(0)

    pass_time(3600)

    try:
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(leaving, 60)
    finally:
        go_on.set()


async def test_what_a_function_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        await Threads(1).run(lambda: 1 / 0)
