"""What happens to records, as it happens: a stream that is taken up again where it broke off."""

import time
from collections.abc import Iterable, Iterator
from json import loads

from dermserve_client.errors import ClientError
from dermserve_client.patience import Patience
from dermserve_client.shapes import Event, Missed, Ticket
from dermserve_client.wire import Wire

OLDEST = "0"
"""Stands for what was before the oldest event that is kept."""

_MISSED = "stream.missed"
_ENDED = "stream.ended"
_PAUSE_S = 0.5


class Events:
    """What happens to the records that the caller may see."""

    _path = "/v1/events"

    def __init__(self, wire: Wire) -> None:
        """Build over the wire."""
        self._wire = wire

    def follow(
        self, after: str | None = None, *, patience_s: float = 300
    ) -> Iterator[Event | Missed]:
        """Yield events as they happen, for ever; a stream that breaks off goes on where it was.

        ``Missed`` says that what was before is not told, or not all of it: read the lists then,
        for whatever comes from now on will be.

        Args:
            after: id of the last event that was seen, or ``OLDEST``; None begins with what comes,
                and so with ``Missed``.
            patience_s: how long the gateway may be away, or have too much to do.

        Raises:
            ClientError: it was for longer, or nothing may be read any more.

        """
        patience = Patience(patience_s)
        while True:
            try:
                for message in self._told(after, follow=True):
                    patience.restore()
                    if isinstance(message, Event):
                        after = message.id
                    if message is not None:
                        yield message
                    elif after is None:
                        yield Missed()
            except ClientError as error:
                patience.wait(error)
            else:
                time.sleep(_PAUSE_S)

    def since(self, after: str = OLDEST) -> Iterator[Event | Missed]:
        """Yield what has happened after an event, and end there."""
        return (message for message in self._told(after, follow=False) if message)

    def ticket(self) -> Ticket:
        """Return what opens one WebSocket, for a page of somebody who is signed in.

        An API key gets none.
        """
        return Ticket.model_validate_json(self._wire.send("POST", f"{self._path}/tickets").content)

    def _told(self, after: str | None, *, follow: bool) -> Iterator[Event | Missed | None]:
        """Yield None when a stream is open, then what it tells."""
        headers = {} if after is None else {"Last-Event-ID": after}
        params = {"follow": str(follow).lower()}
        with self._wire.stream(self._path, headers=headers, params=params) as lines:
            yield None
            for data in _data(lines):
                message = loads(data)
                if message["kind"] == _MISSED:
                    yield Missed()
                elif message["kind"] != _ENDED:
                    yield Event.model_validate(message)


def _data(lines: Iterable[str]) -> Iterator[str]:
    """Yield the data of each event of a stream, as the HTML standard reads them (9.2.6)."""
    data: list[str] = []
    for line in lines:
        name, _, value = line.partition(":")
        if name == "data":
            data.append(value.removeprefix(" "))
        elif not line and data:
            yield "\n".join(data)
            data.clear()
