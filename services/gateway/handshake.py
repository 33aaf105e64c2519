"""A WebSocket on its way through the door: the handshake is a request, and has one answer."""

import time
from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Scope, Send

from services import rpc
from services.gateway import answer_head, errors

_ACCEPTED = 101


class Handshake:
    """One client that asks for a WebSocket, and what it is answered.

    Attributes:
        status: of the answer, as HTTP has it; None before it.
        began: when it came, on the clock of performance.

    """

    method = "GET"
    lasting = True

    def __init__(self, scope: Scope, send: Send, told: Mapping[str, str]) -> None:
        self.scope = scope
        self.status: int | None = None
        self.began = time.perf_counter()
        self._send = send
        self._told = told

    @property
    def route(self) -> str:
        """The template of the path, known once the handshake was routed."""
        return str(getattr(self.scope.get("route"), "path", "unmatched"))

    async def send(self, message: Message) -> None:
        """Send an answer, or what comes after it.

        Raises:
            NoSuchPathError: nobody is there who would answer.

        """
        if message["type"] == "websocket.accept":
            self.status = _ACCEPTED
        elif message["type"] == "websocket.http.response.start":
            self.status = message["status"]
        elif message["type"] == "websocket.close" and self.status is None:
            # All that is closed before it is open; the server would answer without our headers.
            raise errors.NoSuchPathError("There is no WebSocket at this path.")
        if message["type"] == "websocket.accept":
            message.setdefault("headers", [])
            request_id = self._told[rpc.REQUEST_ID_HEADER]
            MutableHeaders(scope=message)[rpc.REQUEST_ID_HEADER] = request_id
        elif message["type"] == "websocket.http.response.start":
            answer_head.complete(message, self.scope, self._told)
        await self._send(message)
