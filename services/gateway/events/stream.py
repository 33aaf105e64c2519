"""One client that watches: what waits for it, and how it goes on from what it has seen."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from enum import StrEnum

from services.gateway.database import Scope
from services.gateway.events.feed import Feed
from services.gateway.records import Event

_PAGE = 100


class Ending(StrEnum):
    """Why a stream ends that its client did not leave."""

    SIGNED_OUT = "signed_out"
    """Its sign-in or key is no good any more, or its user may not read."""
    SHUTDOWN = "shutdown"
    """This process stops; another one goes on."""


@dataclass(frozen=True, slots=True)
class Watcher:
    """Who watches.

    Attributes:
        credential: the id of the sign-in or of the API key.
        user_id: theirs.
        scope: what they may see.

    """

    credential: str
    user_id: str
    scope: Scope


class Stream:
    """The events that one client is to be told of, in their order.

    Few are held: where more come than the client takes, those are let go and read again.
    """

    def __init__(self, watcher: Watcher, feed: Feed, number: int, buffer: int) -> None:
        """Build for a client.

        Args:
            watcher: who it is.
            feed: has the events.
            number: of the last event that it has seen.
            buffer: the most events that are held for it.

        """
        self.watcher = watcher
        self.number = number
        self.missed = False
        """Whether what the client has seen last is not kept any more, and what came after."""
        self.ending: Ending | None = None
        self._feed = feed
        self._buffer = buffer
        self._held: deque[Event] = deque()
        self._behind = True
        self._news = asyncio.Event()

    def offer(self, event: Event) -> None:
        """Take an event that may be for this client."""
        if self._behind or not self.watcher.scope.includes(event):
            return
        if len(self._held) >= self._buffer:
            self._fall_behind()
        else:
            self._held.append(event)
        self._news.set()

    def may_see(self, scope: Scope) -> None:
        """Let the client see this from now on."""
        self.watcher = replace(self.watcher, scope=scope)

    def end(self, why: Ending) -> None:
        """Have it end, whatever is held."""
        self.ending = self.ending or why
        self._news.set()

    async def caught_up(self) -> AsyncIterator[list[Event]]:
        """Yield what is kept after the last event that was seen, up to the newest."""
        while self.ending is None:
            # What is offered from here on is after, or among, what is read.
            self._held.clear()
            self._behind = False
            page = await self._feed.after(self.watcher.scope, self.number, _PAGE)
            if page:
                self.number = page[-1].number
                yield page
            if len(page) < _PAGE:
                return

    async def followed(self, heartbeat_s: float) -> AsyncIterator[list[Event]]:
        """Yield events as they come, and nothing after a while without any; until it ends."""
        while self.ending is None:
            if self._behind:
                async for page in self.caught_up():
                    yield page
            elif self._held:
                yield self._taken()
            elif not await self._anything(heartbeat_s):
                yield []

    def _fall_behind(self) -> None:
        self._held.clear()
        self._behind = True

    def _taken(self) -> list[Event]:
        # While it caught up, some may have been offered that were read as well.
        taken = [event for event in self._held if event.number > self.number]
        self._held.clear()
        self.number = max(self.number, *(event.number for event in taken), 0)
        return taken

    async def _anything(self, within_s: float) -> bool:
        self._news.clear()
        if self.ending is not None or self._held or self._behind:
            return True
        try:
            async with asyncio.timeout(within_s):
                await self._news.wait()
        except TimeoutError:
            return False
        return True
