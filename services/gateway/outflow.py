"""How events go out on a connection: whoever takes too long to take them is cut off."""

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from starlette.types import Scope

from services import telemetry
from services.gateway.metrics import Metrics

_CUT = "dermserve.cut"
"""The extension of a scope by which its connection is cut; ASGI itself has no word for it."""

_log = telemetry.logger(__name__)


def cuttable(scope: Any, transport: asyncio.Transport) -> None:
    """Let the connection of a scope be cut."""
    scope.setdefault("extensions", {})[_CUT] = {"now": transport.abort}


def cut(scope: Scope) -> None:
    """Cut the connection of a scope, with all that waits on it to be sent."""
    way = scope.get("extensions", {}).get(_CUT)
    if way is not None:
        way["now"]()


class SlowClientError(Exception):
    """The client took nothing for too long; its connection is cut."""


@dataclass(frozen=True, slots=True)
class Terms:
    """On which clients watch.

    Attributes:
        heartbeat_s: seconds without an event after which they hear that we are there.
        patience_s: seconds that they may take to take a message.
        origins: whose pages may watch, besides our own.

    """

    heartbeat_s: float
    patience_s: float
    origins: frozenset[str]


class Outflow:
    """One connection on which events go out."""

    def __init__(self, scope: Scope, protocol: str, patience_s: float, metrics: Metrics) -> None:
        """Build for a connection.

        Args:
            scope: its.
            protocol: ``"sse"`` or ``"websocket"``.
            patience_s: seconds that the client may take to take a message.
            metrics: counts what is sent, and who is cut off.

        """
        self._scope = scope
        self._protocol = protocol
        self._patience_s = patience_s
        self._metrics = metrics

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count the connection for as long as it is open."""
        open_now = self._metrics.streams(self._protocol)
        open_now.inc()
        try:
            yield
        finally:
            open_now.dec()

    async def send(self, sending: Awaitable[None], events: int = 0) -> None:
        """Wait until something is sent that has a number of events in it.

        Raises:
            SlowClientError: the client did not take it in time.

        """
        try:
            async with asyncio.timeout(self._patience_s):
                await sending
        except TimeoutError as error:
            self._metrics.streams_dropped(self._protocol).inc()
            _log.warning("client that watches was dropped", protocol=self._protocol)
            # What waits on it would be waited for when this process stops.
            cut(self._scope)
            raise SlowClientError from error
        self._metrics.events_sent(self._protocol).inc(events)
