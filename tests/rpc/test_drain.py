"""What is still heard of a stream while its server ends, by a clock that the test sets."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from services.rpc.drain import Accepted, ClosingError, Drain

TURNS = 100
"""Of the event loop: more than anything here takes that waits for no clock."""


class Clock:
    """The event loop's own, which stands still unless it is moved."""

    def __init__(self) -> None:
        self.now = asyncio.get_running_loop().time()


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    standing = Clock()
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: standing.now)
    return standing


def accepted(requests: AsyncIterator[str]) -> Accepted:
    """Hear a stream at a server that is ending."""
    ending = Drain()
    ending.begin()
    return ending.until_begun(requests)


async def turns() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)


@pytest.mark.usefixtures("clock")
async def test_an_end_that_is_on_its_way_is_waited_for() -> None:
    words: list[str] = []

    async def ended_late() -> AsyncIterator[str]:
        await turns()
        for word in words:
            yield word

    heard = accepted(ended_late())
    assert [each async for each in heard] == []
    assert heard.trouble is None


async def test_who_says_no_more_is_waited_for_a_moment(clock: Clock) -> None:
    async def silent() -> AsyncIterator[str]:
        await asyncio.Event().wait()
        yield "never"

    heard = accepted(silent())
    waiting = asyncio.ensure_future(anext(heard, None))
    await turns()
    assert not waiting.done()
    clock.now += 0.1
    await turns()
    assert waiting.done()
    assert isinstance(heard.trouble, ClosingError)
