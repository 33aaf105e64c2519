"""HTTP on the socket: uvicorn's protocol, with a bound on what is not a body.

The parser collects a path, a head or a trailer of any size before it tells anybody, so what
it is fed is counted here, before anybody has said who they are.
"""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES = 64 * 1024
"""The largest head of a request, beside one read of the socket; proxies take less."""

_REFUSAL = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"Content-Length: 0\r\nConnection: close\r\n\r\n"
)


class Protocol(HttpToolsProtocol):
    """Ends a connection on which too much comes that is neither a body nor a whole head."""

    _untold = 0

    def data_received(self, data: bytes) -> None:
        """Take what has come."""
        self._untold += len(data)
        super().data_received(data)
        if self._untold > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.transport.write(_REFUSAL)
            self.transport.close()

    def on_headers_complete(self) -> None:
        """Begin a request."""
        self._untold = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Go on with its body."""
        self._untold = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End it."""
        self._untold = 0
        super().on_message_complete()
