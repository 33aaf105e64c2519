"""HTTP on the socket: uvicorn's protocol, with a bound on what no route reads.

The parser collects a path, a head or a trailer of any size before it tells anybody, so what
it is fed is counted here, before anybody has said who they are. Whatever is refused here has no
request yet, and is answered as everything else is. A body whose request is answered has no
reader any more, and has its bound here too.

Whoever asks for another protocol than WebSocket, or for that as it cannot be had, is answered in
HTTP (RFC 9110, section 7.8). The parser takes what follows such a head for the other protocol's:
so it is given the head once more, without the wish, and reads body and further requests as such.
"""

import asyncio
import contextlib
import re
import uuid

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from services import rpc, telemetry
from services.gateway import audit, errors, kinds, problems
from services.gateway.outflow import cuttable
from services.gateway.security_headers import SECURITY_HEADERS
from services.gateway.socket_protocol import is_handshake

MAX_HEAD_BYTES = 64 * 1024
"""The largest head of a request, beside one read of the socket; proxies take less."""

MAX_TARGET_BYTES = 0xFFFF
"""The longest path and query of a request together: the parser counts them in 16 bits."""

REST_S = 30.0
"""How long an answer may lie here, or the rest of its request come, once it is given."""

REST_BYTES = 16 * 1024 * 1024
"""How much of a request is taken once it is answered.

Many a client sends all of a body before it looks for an answer, and would not see it if its
connection ended at once.
"""

_log = telemetry.logger(__name__)


class Protocol(HttpToolsProtocol):
    """Ends a connection on which too much comes that nobody reads."""

    _untold = 0
    _unread = 0
    _in_body = False
    _upgrades = False
    """Whether the head that was read last begins a WebSocket."""
    _put_off = False
    """Whether it comes once more, without its wish for another protocol."""
    _resting: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        """Take what has come."""
        self._untold += len(data)
        self._unset_keepalive_if_required()
        pieces = [memoryview(data)]
        while pieces:
            pieces = self._parsed(*pieces)
        if self._untold > MAX_HEAD_BYTES and not self.transport.is_closing():
            self._refuse(errors.HeadTooLargeError("Send shorter headers, and fewer."))

    def _parsed(self, piece: memoryview, *more: memoryview) -> list[memoryview]:
        """Parse bytes; return what is to be parsed after them."""
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade as wish:
            if not self._put_off:
                # CONNECT wishes for another protocol too, and is answered as any request is.
                if self._should_upgrade():
                    self.handle_websocket_upgrade()
                return []
            head = self._head(without=b"upgrade")
            # The one before takes no more of this connection if it was asked to close it.
            self.parser = httptools.HttpRequestParser(self)
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
            return [memoryview(head), piece[wish.args[0] :], *more]
        except httptools.HttpParserError:
            self.send_400_response("")
            return []
        return list(more)

    def _should_upgrade(self) -> bool:
        # Asked for up to four times a handshake, and decided once.
        return self._upgrades

    def _head(self, without: bytes = b"") -> bytes:
        """Return the head of the request, without a header if one is named."""
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        lines = [name + b": " + value for name, value in self.headers if name != without]
        return b"\r\n".join((method + b" " + self.url + b" HTTP/" + version, *lines, b"", b""))

    def send_400_response(self, msg: str) -> None:
        """Refuse what the parser does not take; what it says of it helps nobody outside."""
        del msg
        self._refuse(errors.MalformedError("This is no HTTP request."))

    def _refuse(self, error: errors.GatewayError) -> None:
        # There is none before the first line of the first request.
        if len(self.url or b"") > MAX_TARGET_BYTES:
            error = errors.TargetTooLongError("Ask for less in the path and the query.")
        request_id = uuid.uuid4().hex
        # What is written while another request waits would be taken for its answer.
        if self._alone():
            self.transport.write(_answer(error, request_id))
        self.transport.close()
        recording = self.loop.create_task(self._record(error, request_id))
        self.tasks.add(recording)
        recording.add_done_callback(self.tasks.discard)

    async def _record(self, error: errors.GatewayError, request_id: str) -> None:
        kind = kinds.kind_of(error)
        note = audit.Note(address=self.client[0] if self.client else None, request_id=request_id)
        audit.refused_at_the_door(note, kind.slug)
        # The log has what cannot be written; there is nobody left to be told.
        with contextlib.suppress(errors.UnavailableError):
            await self.config.app.state.parts.refusals.end(note, kind.status)  # type: ignore[union-attr]

    def _alone(self) -> bool:
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            return True
        return cycle.more_body and not cycle.response_started and not self.pipeline

    def on_headers_complete(self) -> None:
        """Begin a request."""
        self._untold = self._unread = 0
        self._decide()
        if self._put_off:
            return
        self._in_body = True
        self._say_whom_it_is_for()
        super().on_headers_complete()
        cuttable(self.scope, self.transport)

    def _decide(self) -> None:
        """See what becomes of a wish for another protocol, if the head has one."""
        wishes = self.parser.should_upgrade()
        # What is pipelined is answered in its order; a WebSocket would begin at once.
        waits = self.cycle is not None and not self.cycle.response_complete
        self._upgrades = (
            wishes and not waits and super()._should_upgrade() and is_handshake(self._head())
        )
        named = wishes and any(name == b"upgrade" for name, _ in self.headers)
        self._put_off = named and not self._upgrades

    def _say_whom_it_is_for(self) -> None:
        """Have Host say what an absolute target does, which counts (RFC 9112, section 3.2.2)."""
        if b"://" not in self.url.partition(b"?")[0] or self.url.startswith(b"/"):
            return
        authority = re.split(b"[/?#]", self.url.partition(b"://")[2])[0]
        others = [(name, value) for name, value in self.headers if name != b"host"]
        self.headers[:] = [*others, (b"host", authority)]

    def on_body(self, body: bytes) -> None:
        """Go on with its body."""
        self._untold = 0
        super().on_body(body)
        if self.cycle is not None and self.cycle.response_complete:
            self._unread += len(body)
            if self._unread > REST_BYTES:
                self.transport.close()

    def on_message_complete(self) -> None:
        """End it."""
        if self._put_off:
            return
        self._untold = 0
        self._in_body = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Leave a client some time to take the rest of an answer, and to end its request."""
        super().on_response_complete()
        if self._resting is not None:
            self._resting.cancel()
        if self._rests():
            self._resting = self.loop.call_later(REST_S, self._cut_rest)

    def _cut_rest(self) -> None:
        # While another answer goes out, whoever gives it waits for the client.
        if self.cycle.response_complete and self._rests():
            self.transport.abort()

    def _rests(self) -> bool:
        return self._in_body or self.transport.get_write_buffer_size() > 0


def _answer(error: errors.GatewayError, request_id: str) -> bytes:
    answer = problems.answer(error, {"path": "*"}, request_id=request_id)
    _log.info("request refused", status=answer.status_code, request_id=request_id)
    for name, value in SECURITY_HEADERS.items():
        answer.headers[name] = value
    answer.headers[rpc.REQUEST_ID_HEADER] = request_id
    answer.headers["Connection"] = "close"
    lines = (name + b": " + value + b"\r\n" for name, value in answer.raw_headers)
    return STATUS_LINE[answer.status_code] + b"".join(lines) + b"\r\n" + bytes(answer.body)
