"""All clients of this process that watch, and what they are told."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet

from services import telemetry
from services.gateway import errors
from services.gateway.database import Scope, Source
from services.gateway.events.feed import Feed
from services.gateway.events.stream import Ending, Stream, Watcher

_PAGE = 500
_LOOK_EVERY_S = 2.0

BEGINNING = "0"
"""Stands for the event before all that are kept."""

StillThere = Callable[[AbstractSet[str]], Awaitable[Mapping[str, Scope]]]
"""Returns which of some sign-ins and keys may still read, and what."""

_log = telemetry.logger(__name__)


class _Room:
    """The streams of an organisation, and the last event that they were told of."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.streams: set[Stream] = set()
        self.news = False
        self.telling: asyncio.Task[None] | None = None


class Streams:
    """Tells streams of new events. Each is read once an organisation, however many watch."""

    def __init__(
        self, feed: Feed, still_there: StillThere, most: int, most_of_user: int, buffer: int
    ) -> None:
        """Build over what has happened.

        Args:
            feed: has the events.
            still_there: tells whether those who watch may still do so.
            most: streams at the same time.
            most_of_user: streams of one user at the same time.
            buffer: the most events that are held for a stream.

        """
        self._feed = feed
        self._still_there = still_there
        self._most = most
        self._most_of_user = most_of_user
        self._buffer = buffer
        self._rooms: dict[str, _Room] = {}
        self._of_user: Counter[str] = Counter()
        self._closed = False

    @contextlib.asynccontextmanager
    async def open(self, watcher: Watcher, last: str | None) -> AsyncIterator[Stream]:
        """Open a stream.

        Args:
            watcher: whose it is.
            last: id of the last event that they have seen, to go on after it; ``BEGINNING`` for all
                that is kept; None for what comes next.

        Raises:
            TooManyStreamsError: the user has too many, or as many as are left for others.
            UnavailableError: there are too many in all, or this process is about to stop.

        """
        with self._place(watcher.user_id):
            organisation_id = watcher.scope.organisation_id
            room = self._rooms.get(organisation_id)
            room = room or _Room(await self._feed.newest(organisation_id))
            # Others may have come, and this process been told to stop, meanwhile.
            room = self._rooms.setdefault(organisation_id, room)
            stream = Stream(watcher, self._feed, room.number, self._buffer)
            if self._closed:
                stream.end(Ending.SHUTDOWN)
            room.streams.add(stream)
            try:
                await self._go_on(stream, last)
                yield stream
            finally:
                room.streams.discard(stream)
                if not room.streams:
                    self._rooms.pop(organisation_id, None)

    async def _go_on(self, stream: Stream, last: str | None) -> None:
        """Have a stream go on after what its client has seen."""
        if last is None:
            return
        seen = 0 if last == BEGINNING else await self._feed.number_of(stream.watcher.scope, last)
        if seen is None:
            stream.missed = True
        else:
            stream.number = seen

    @contextlib.asynccontextmanager
    async def running(self, source: Source) -> AsyncIterator[None]:
        """Tell streams what a database tells of, and end those of who may not read any more."""
        beside = [asyncio.create_task(each) for each in (self._look(), self._feed.keep_clean())]
        try:
            async with source.listening(self.heard):
                yield
        finally:
            for task in beside:
                task.cancel()
            await asyncio.wait(beside)

    def close(self) -> None:
        """End all streams, and open no others."""
        self._closed = True
        for stream in self._all():
            stream.end(Ending.SHUTDOWN)

    def heard(self, organisation_id: str | None) -> None:
        """Have streams told of new events of an organisation; None for any."""
        for each in list(self._rooms) if organisation_id is None else [organisation_id]:
            room = self._rooms.get(each)
            if room is not None:
                room.news = True
                if room.telling is None or room.telling.done():
                    room.telling = asyncio.create_task(self._tell(each, room))

    async def _tell(self, organisation_id: str, room: _Room) -> None:
        everybody = Scope(organisation_id, "", shared=True)
        while room.news and room.streams:
            room.news = False
            try:
                events = await self._feed.after(everybody, room.number, _PAGE)
            except Exception as error:  # noqa: BLE001 - whoever listens is told to look again
                _log.warning("events are not read", error=type(error).__name__)
                return
            for event in events:
                room.number = event.number
                for stream in room.streams:
                    stream.offer(event)
            room.news = room.news or len(events) == _PAGE

    async def _look(self) -> None:
        """Look now and then who may still read, and what."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            streams = list(self._all())
            if streams:
                try:
                    await self._see_who_is_there(streams)
                except Exception as error:  # noqa: BLE001 - tried again
                    _log.warning("who watches is not checked", error=type(error).__name__)

    async def _see_who_is_there(self, streams: list[Stream]) -> None:
        there = await self._still_there({stream.watcher.credential for stream in streams})
        for stream in streams:
            scope = there.get(stream.watcher.credential)
            if scope is None:
                stream.end(Ending.SIGNED_OUT)
            else:
                stream.may_see(scope)

    def _all(self) -> list[Stream]:
        return [stream for room in self._rooms.values() for stream in room.streams]

    @contextlib.contextmanager
    def _place(self, user_id: str) -> Iterator[None]:
        if self._closed:
            raise errors.UnavailableError("This gateway is about to stop. Try again.")
        free = self._most - self._of_user.total()
        if free <= 0:
            raise errors.UnavailableError("Too many watch events. Try again later.", 5)
        # Who comes next finds room, as among places.
        if self._of_user[user_id] >= min(self._most_of_user, free):
            raise errors.TooManyStreamsError(
                f"You watch events {self._of_user[user_id]} times already. Close one of them."
            )
        self._of_user[user_id] += 1
        try:
            yield
        finally:
            self._of_user[user_id] -= 1
            if not self._of_user[user_id]:
                del self._of_user[user_id]
