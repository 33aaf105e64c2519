"""The least of an HTTP/1.1 client: one kept connection, one request at a time, asyncio streams."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Self

_LINE_END = b"\r\n"
_HEAD_END = _LINE_END * 2


class Connection:
    """A connection that is opened when first used, and again when the server has closed it."""

    def __init__(self, host: str, port: int) -> None:
        """Say where to; nothing is opened yet."""
        self._address = (host, port)
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def post(self, path: str, content_type: str, body: bytes) -> tuple[int, bytes]:
        """Send one request and read its whole answer.

        Returns:
            The status and the body.

        Raises:
            OSError: the connection could not be made or broke.
            EOFError: the server closed it before the answer was whole.

        """
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {self._address[0]}:{self._address[1]}\r\n"
            f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode()
        kept = self._writer is not None
        try:
            return await self._exchanged(head + body)
        except (OSError, EOFError):
            self.close()
            if not kept:
                raise
            # A kept connection may have ended while nobody looked: that is no failure.
            return await self._exchanged(head + body)

    def close(self) -> None:
        """Leave; an answer that is still to come has no reader."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None

    async def hang_up(self) -> None:
        """Leave in order, and wait until that is done."""
        writer = self._writer
        self.close()
        if writer is not None:
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def __aenter__(self) -> Self:
        """Be closed at the end."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Hang up."""
        await self.hang_up()

    async def _exchanged(self, request: bytes) -> tuple[int, bytes]:
        if self._reader is None or self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(*self._address)
        self._writer.write(request)
        head = (await self._reader.readuntil(_HEAD_END)).decode("latin-1").lower()
        status, headers = int(head[9:12]), dict(_headers(head))
        body = await _body(self._reader, headers)
        if head.startswith("http/1.0") or headers.get("connection") == "close":
            self.close()
        return status, body


def _headers(head: str) -> list[tuple[str, str]]:
    lines = head.split("\r\n")[1:-2]
    return [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while size := int((await reader.readuntil(_LINE_END)).partition(b";")[0], 16):
        yield await reader.readexactly(size)
        await reader.readuntil(_LINE_END)
    await reader.readuntil(_LINE_END)


async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding") == "chunked":
        return b"".join([chunk async for chunk in _chunks(reader)])
    if "content-length" in headers:
        return await reader.readexactly(int(headers["content-length"]))
    return await reader.read()
