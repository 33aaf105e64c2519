"""WebSocket on the socket: uvicorn's protocol, which logs no address and can be cut."""

import http
import logging
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request
from websockets.server import ServerProtocol

from services.gateway.outflow import cuttable

_SILENT = logging.Logger("websockets", logging.CRITICAL + 1)  # noqa: LOG001 - whatever is configured


def is_handshake(head: bytes) -> bool:
    """Return whether the head of a request begins a WebSocket.

    What the library does not take, it answers in its own way or not at all.
    """
    trial = ServerProtocol(logger=_SILENT)
    trial.receive_data(head)
    asked = trial.events_received()
    if not asked or not isinstance(asked[0], Request):
        return False
    return trial.accept(asked[0]).status_code == http.HTTPStatus.SWITCHING_PROTOCOLS


class SocketProtocol(WebSocketsSansIOProtocol):
    """An address has a ticket in it; the door writes a line for each connection."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.logger = self.conn.logger = _SILENT
        self.conn.debug = False

    def handle_connect(self, event: Request) -> None:
        """Begin a connection."""
        super().handle_connect(event)
        if not self.close_sent:
            cuttable(self.scope, self.transport)
