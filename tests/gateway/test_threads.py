"""Work in threads: bounded, and never left half done."""

import asyncio
import threading

import pytest

from services.gateway.threads import Threads


async def test_who_leaves_a_function_that_runs_keeps_its_thread_until_it_is_done() -> None:
    threads = Threads(1)
    go_on, done = threading.Event(), threading.Event()

    def slow() -> None:
        go_on.wait(5)
        done.set()

    leaving = asyncio.create_task(threads.run(slow))
    next_one = asyncio.create_task(threads.run(done.is_set))
    await asyncio.sleep(0.05)
    leaving.cancel()
    await asyncio.sleep(0.05)

    assert not leaving.done()
    assert not next_one.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert await next_one


async def test_who_leaves_while_waiting_for_a_thread_never_gets_one() -> None:
    threads = Threads(1)
    go_on, called = threading.Event(), threading.Event()
    running = asyncio.create_task(threads.run(go_on.wait, 5))
    waiting = asyncio.create_task(threads.run(called.set))
    await asyncio.sleep(0.05)

    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(waiting, 1)
    go_on.set()
    assert await running
    assert not called.is_set()


async def test_what_a_function_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        await Threads(1).run(lambda: 1 / 0)
