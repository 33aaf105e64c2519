"""What may stand between a client and the gateway: it refuses, or loses answers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

REFUSAL = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n"
    b"Content-Length: 0\r\nConnection: close\r\n\r\n"
)


@dataclass
class Proxy:
    """Passes bytes on, one connection a request.

    Attributes:
        port: where it listens.
        to: port of the gateway.
        refuses: so many requests to come it answers itself.
        loses: so many answers to come do not arrive.
        cuts: so many streams to come break off behind their first event.
        times: when each request came, in seconds.
        serving: who serves connections, or did.

    """

    to: int
    port: int = 0
    refuses: int = 0
    loses: int = 0
    cuts: int = 0
    times: list[float] = field(default_factory=list)
    serving: set[asyncio.Task[None] | None] = field(default_factory=set)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.serving.add(asyncio.current_task())
        lost = contextlib.suppress(ConnectionError, asyncio.IncompleteReadError)
        with contextlib.closing(writer), lost:
            head = await reader.readuntil(b"\r\n\r\n")
            self.times.append(asyncio.get_running_loop().time())
            await self._answer(head, reader, writer)

    async def _answer(
        self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        body = await reader.readexactly(_length(head))
        if self.refuses:
            self.refuses -= 1
            writer.write(REFUSAL)
            return
        there, back = await asyncio.open_connection("127.0.0.1", self.to)
        back.write(head.replace(b"\r\n", b"\r\nConnection: close\r\n", 1) + body)
        try:
            if self.loses:
                await there.read()
                self.loses -= 1
                return
            while part := await there.read(1 << 16):
                last = self.cuts > 0 and b"\nid: " in part
                self.cuts -= last
                writer.write(part)
                await writer.drain()
                if last:
                    return
        finally:
            back.close()


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


@contextlib.asynccontextmanager
async def before(port: int) -> AsyncIterator[Proxy]:
    """Put one before a gateway."""
    proxy = Proxy(port)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    async with server:
        proxy.port = server.sockets[0].getsockname()[1]
        yield proxy
        serving = [task for task in proxy.serving if task]
        for task in serving:
            task.cancel()  # a stream has no end of its own
        await asyncio.gather(*serving, return_exceptions=True)
