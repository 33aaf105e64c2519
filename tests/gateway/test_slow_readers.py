"""Answers that nobody reads: they wait in pieces, for a bounded time, and hold nothing after it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from io import BytesIO

import pytest
from PIL import Image

from services.gateway import patience, protocol
from services.gateway.protocol import Protocol
from tests.gateway.conftest import Client, Gateway, Start
from tests.gateway.watching import PATIENCE_S, connection_to, gone, on_a_socket

ASKING = (
    "GET {path} HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {token}\r\n"
    "Connection: {connection}\r\n\r\n"
)
HELD = 256 * 1024
"""Bytes of answers that a connection may hold here, whatever it asked for."""


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[asyncio.Transport]:
    """Our end of every connection that is made."""
    made: list[asyncio.Transport] = []
    usual = Protocol.connection_made

    def noted(self: Protocol, transport: asyncio.Transport) -> None:
        made.append(transport)
        usual(self, transport)

    monkeypatch.setattr(Protocol, "connection_made", noted)
    return made


@contextlib.asynccontextmanager
async def asking(
    url: str, client: Client, path: str, times: int = 1, connection: str = "keep-alive"
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Ask for something, once or more in one go, and read nothing of it yet."""
    reader, writer = await asyncio.open_connection(sock=connection_to(url), limit=4096)
    asked = ASKING.format(path=path, token=client.token, connection=connection)
    writer.write(asked.encode() * times)
    try:
        yield reader, writer
    finally:
        writer.close()
        await gone(writer)


async def noise(client: Client, width: int, height: int) -> str:
    """Have a picture analyzed that takes a byte a pixel or more; returns its path."""
    content = BytesIO()
    Image.effect_noise((width, height), 200).convert("RGB").save(content, "PNG")
    answer = await client.analyze(content.getvalue())
    assert answer.status_code == 201, answer.text
    return f"{answer.headers['Location']}/image"


async def until_cut(reader: asyncio.StreamReader) -> bytes:
    """Read what there is once the connection is cut."""
    found = b""
    async with asyncio.timeout(PATIENCE_S):
        with contextlib.suppress(ConnectionError):
            while piece := await reader.read(4096):
                found += piece
    return found


async def until_closed(connections: list[asyncio.Transport]) -> None:
    """Wait until our end of the only connection is closed; it never holds much."""
    async with asyncio.timeout(PATIENCE_S):
        while not connections or not closed(connections[0]):  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)


def closed(connection: asyncio.Transport) -> bool:
    held = connection.get_write_buffer_size()
    assert held <= HELD
    return connection.is_closing() and not held


async def test_a_picture_that_nobody_reads_is_held_in_pieces_and_given_up(
    start: Start, connections: list[asyncio.Transport]
) -> None:
    async with (
        start(download_patience_s=0.3, max_pictures=1) as gateway,
        on_a_socket(gateway) as url,
    ):
        alice = await gateway.signed_in()
        path = await noise(alice, 1200, 900)
        async with asking(url, alice, path) as (reader, _):
            await until_closed(connections)
            assert len(await until_cut(reader)) < HELD
            # Its place is free again.
            assert (await alice("GET", path)).status_code == 200


async def test_answers_to_many_requests_that_nobody_reads_do_not_pile_up(
    start: Start, connections: list[asyncio.Transport]
) -> None:
    async with start(download_patience_s=0.3) as gateway, on_a_socket(gateway) as url:
        alice = await gateway.signed_in()
        async with asking(url, alice, "/openapi.json", times=20) as (reader, _):
            await until_closed(connections)
            assert len(await until_cut(reader)) < 2 * HELD


async def test_the_rest_of_an_answer_that_nobody_reads_goes_with_its_connection(
    gateway: Gateway, connections: list[asyncio.Transport], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "REST_S", 0.1)
    async with on_a_socket(gateway) as url:
        alice = await gateway.signed_in()
        path = await noise(alice, 300, 250)
        size = len((await alice("GET", path)).content)
        # More than the kernel takes, and less than is waited for.
        assert 64 * 1024 < size < 128 * 1024
        async with asking(url, alice, path, connection="close"):
            await until_closed(connections)


class Clock:
    """The clock of those who are patient: it goes on only where the test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def get_running_loop(self) -> "Clock":
        return self

    def time(self) -> float:
        return self.now

    @contextlib.asynccontextmanager
    async def timeout(self, seconds: float) -> AsyncIterator[None]:
        until = self.now + seconds
        yield
        if self.now >= until:
            raise TimeoutError


async def test_who_reads_slowly_and_steadily_gets_all_of_it(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(patience, "asyncio", clock)
    async with start(download_patience_s=0.3) as gateway, on_a_socket(gateway) as url:
        alice = await gateway.signed_in()
        path = await noise(alice, 1200, 900)
        whole = (await alice("GET", path)).content
        found = b""
        async with asking(url, alice, path) as (reader, _):
            head = await reader.readuntil(b"\r\n\r\n")
            while len(found) < len(whole):
                found += await reader.readexactly(min(4096, len(whole) - len(found)))
                clock.now += 0.06 / 16  # that is how slowly
        assert head.startswith(b"HTTP/1.1 200")
        assert found == whole
        assert clock.now > 2 * 0.4
