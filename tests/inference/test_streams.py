"""Many requests over one call, and callers who leave in the middle of it."""

import asyncio
import itertools
from collections.abc import AsyncIterator

from services.inference import streams


async def endless() -> AsyncIterator[int]:
    for number in itertools.count():
        yield number


async def test_a_caller_who_stops_reading_and_then_leaves_leaves_no_work_behind() -> None:
    before = asyncio.all_tasks()
    crowded = asyncio.Event()

    async def answer(number: int) -> int:
        if number == 2:  # one answer was taken, one waits, and this one finds no room
            crowded.set()
        return number

    answers = streams.answered(endless(), answer, width=1)
    assert await anext(answers) == 0
    async with asyncio.timeout(60):
        await crowded.wait()
    left = asyncio.all_tasks() - before
    assert left
    await answers.aclose()
    _, pending = await asyncio.wait(left, timeout=60)
    assert not pending


async def test_every_answer_comes_before_the_stream_ends() -> None:
    async def three() -> AsyncIterator[int]:
        for number in range(3):
            yield number

    async def answer(number: int) -> int:
        return number

    answers = streams.answered(three(), answer, width=1)
    assert [each async for each in answers] == [0, 1, 2]
