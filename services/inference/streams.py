"""Many requests over one call, each answered as soon as it is ready."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import TypeVar

Request = TypeVar("Request")
Response = TypeVar("Response")


async def answered(
    requests: AsyncIterator[Request],
    answer: Callable[[Request], Awaitable[Response]],
    width: int,
) -> AsyncGenerator[Response, None]:
    """Keep some requests in work; the next is read when an answer was taken.

    Args:
        requests: what comes.
        answer: answers one of them, also where it goes wrong; must not raise.
        width: requests that are in work at the same time.

    Yields:
        The answers, in the order in which they are ready.

    """
    # As bounded as the work: a caller who does not read its answers gets no further.
    answers: asyncio.Queue[Response | None] = asyncio.Queue(width)
    reading = asyncio.create_task(_read(requests, answer, answers, width))
    try:
        while (ready := await answers.get()) is not None:
            yield ready
        await reading
    finally:
        reading.cancel()


async def _read(
    requests: AsyncIterator[Request],
    answer: Callable[[Request], Awaitable[Response]],
    answers: asyncio.Queue[Response | None],
    width: int,
) -> None:
    async def put(request: Request) -> None:
        await answers.put(await answer(request))

    free = asyncio.Semaphore(width)
    try:
        async with asyncio.TaskGroup() as running:
            async for request in requests:
                await free.acquire()
                task = running.create_task(put(request))
                task.add_done_callback(lambda _: free.release())
    except asyncio.CancelledError:
        # Whoever left takes no more answers: the end must not wait until somebody does.
        while not answers.empty():
            answers.get_nowait()
        raise
    finally:
        await answers.put(None)
