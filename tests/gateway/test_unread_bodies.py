"""What still comes of a request that is answered: a little of it is taken, for a while."""

import asyncio
import contextlib
from pathlib import Path

import pytest

from services.gateway import protocol
from tests.gateway.conftest import Gateway
from tests.gateway.processes import running
from tests.gateway.watching import PATIENCE_S, connection_to, on_a_socket

HEAD = b"POST /v1/analyses HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
PIECE = b"40000\r\n" + bytes(2**18) + b"\r\n"
TAKEN = 48 * 1024 * 1024
"""Bytes that may be sent: some are taken, and more lie in buffers of the connection."""


async def test_a_body_without_end_is_not_taken_once_its_request_is_refused(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        writer.write(CHUNKED)
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
        sent = 0
        with contextlib.suppress(ConnectionError):
            while sent < 2 * TAKEN:
                writer.write(PIECE)
                await writer.drain()
                sent += len(PIECE)
        writer.close()

    assert answer.startswith(b"HTTP/1.1 401")
    assert sent < TAKEN


async def test_whoever_sends_all_before_looking_sees_the_refusal_and_keeps_the_connection(
    tmp_path: Path,
) -> None:
    size = 8 * 1024 * 1024
    async with running(tmp_path) as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        writer.write(HEAD + b"Content-Length: %d\r\n\r\n" % size + bytes(size))
        writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        async with asyncio.timeout(60):
            await writer.drain()
            answers = await reader.read()
        writer.close()

    assert answers.startswith(b"HTTP/1.1 401")
    assert answers.count(b"HTTP/1.1 200 OK") == 1


async def test_a_body_that_stops_coming_once_its_request_is_refused_is_given_up(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "REST_S", 0.1)
    async with on_a_socket(gateway) as url:
        reader, writer = await asyncio.open_connection(sock=connection_to(url))
        writer.write(HEAD + b"Content-Length: 1000\r\n\r\nx")
        async with asyncio.timeout(PATIENCE_S):
            answer = await reader.readuntil(b"\r\n\r\n")
            with contextlib.suppress(ConnectionError):
                while not reader.at_eof():
                    writer.write(b"x")
                    await reader.read(4096)
        writer.close()

    assert answer.startswith(b"HTTP/1.1 401")
