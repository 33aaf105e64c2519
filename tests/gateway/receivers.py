"""Receivers of webhooks: real HTTP servers on real sockets that behave as badly as a test wants."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from standardwebhooks import Webhook as Verifier


@dataclass(frozen=True)
class Received:
    """A message as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    def verified(self, secret: str) -> object:
        """What it says, if the signature holds; by the library that the standard's authors keep."""
        content: object = Verifier(secret).verify(self.body, self.headers)
        return content


OK = b"HTTP/1.1 204 No Content\r\n\r\n"


def answer(status: int, *headers: str) -> bytes:
    """A bare answer."""
    return "\r\n".join([f"HTTP/1.1 {status} X", *headers, "Content-Length: 0", "", ""]).encode()


Misbehave = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Receiver:
    """Gives the answers of a test, one after the other; the last one from then on.

    A function among them writes for itself. While ``may_answer`` is not set nobody is answered.
    """

    answers: list[bytes | Misbehave] = field(default_factory=lambda: [OK])
    received: list[Received] = field(default_factory=list)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)
    now: int = 0
    most: int = 0
    port: int = 0
    scheme: str = "http"
    conversations: list[asyncio.Task[None] | None] = field(default_factory=list)
    _arrival: asyncio.Condition = field(default_factory=asyncio.Condition)

    def __post_init__(self) -> None:
        self.may_answer.set()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{self.scheme}://127.0.0.1:{self.port}/hook?to=us"

    async def arrived(self, count: int = 1) -> None:
        """Return when so many messages have come."""
        async with asyncio.timeout(60), self._arrival:
            await self._arrival.wait_for(lambda: len(self.received) >= count)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.conversations.append(asyncio.current_task())
        self.now += 1
        self.most = max(self.most, self.now)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            try:
                await self._converse(reader, writer)
            finally:
                self.now -= 1
                writer.close()
                await writer.wait_closed()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        lines = (line.split(": ", 1) for line in head[1:] if line)
        headers = {name.lower(): value for name, value in lines}
        body = await reader.readexactly(int(headers["content-length"]))
        self.received.append(Received(head[0].split()[1], headers, body))
        async with self._arrival:
            self._arrival.notify_all()
        await self.may_answer.wait()
        said = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(said, bytes):
            writer.write(said)
            await writer.drain()
        else:
            await said(writer)


@contextlib.asynccontextmanager
async def receiving(
    *answers: bytes | Misbehave, port: int = 0, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Receiver]:
    """Run a receiver."""
    receiver = Receiver(list(answers) or [OK], scheme="http" if tls is None else "https")
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", port, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        receiver.may_answer.set()
        server.close()
        await asyncio.wait_for(asyncio.gather(*filter(None, receiver.conversations)), 60)
