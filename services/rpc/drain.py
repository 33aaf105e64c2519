"""The end of a server: what was accepted is finished, what comes after is sent elsewhere."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Self

from services.rpc.messages import Malformed, MalformedError


class ClosingError(Exception):
    """The server is closing and takes no more work."""

    reason = "draining"
    retry_after_s = 0.1
    """Another replica would answer at once; a balancer needs a moment to pick one."""

    def __init__(self) -> None:
        super().__init__("the service is shutting down: try again, another replica will answer")


_LAST_WORD_S = 0.05


class Drain:
    """Whether a server still takes work."""

    def __init__(self) -> None:
        """Begin with a server that does; needs a running event loop."""
        self._begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def begin(self) -> None:
        """Take no more work from now on."""
        if not self._begun.done():
            self._begun.set_result(None)

    def refuse_if_begun(self) -> None:
        """Turn a new call away.

        Raises:
            ClosingError: the server takes no more work.

        """
        if self._begun.done():
            raise ClosingError

    def until_begun(self, requests: AsyncIterator[Any]) -> "Accepted":
        """Return those messages of a stream that come before."""
        return Accepted(requests, self._begun)


class Accepted:
    """The messages of a stream, up to its end, to that of the server, or to the first unreadable.

    Attributes:
        trouble: why it ended before its own end; None when it did not.

    """

    def __init__(self, requests: AsyncIterator[Any], end: asyncio.Future[None]) -> None:
        """Wrap a stream's messages."""
        self.trouble: Exception | None = None
        self._requests = requests
        self._end = end

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        refused = self._end.done()
        following = asyncio.ensure_future(anext(self._requests))
        try:
            await asyncio.wait({following, self._end}, return_when=asyncio.FIRST_COMPLETED)
            if not following.done():
                # A caller that has said its last word is not cut off, only not heard yet.
                await asyncio.wait({following}, timeout=_LAST_WORD_S)
        finally:
            following.cancel()
        ended = following.done() and isinstance(following.exception(), StopAsyncIteration)
        if not ended and (refused or not following.done()):
            self.trouble = ClosingError()
        elif not ended and isinstance(following.result(), Malformed):
            self.trouble = MalformedError()
        if self.trouble is not None:
            raise StopAsyncIteration
        return following.result()
