"""What comes over the socket before anybody has said who they are: bounded in size and time."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.gateway.processes import Running, running

GET = b"GET /livez HTTP/1.1\r\nHost: x\r\n"
HEAD = (
    b"POST /v1/auth/token HTTP/1.1\r\nHost: x\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n"
)
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"
MUCH = 8 * 1024 * 1024


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as served:
        yield served


async def answer_to(gateway: Running, begin: bytes, go_on: bytes = b"", much: int = 0) -> bytes:
    """Send a beginning, then more and more until it is enough or nobody listens."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(begin)
    try:
        for _ in range(0, much, max(1, len(go_on))):
            writer.write(go_on)
            await writer.drain()
    except ConnectionError:
        pass
    try:
        return await asyncio.wait_for(reader.read(400), 60)
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_heads_and_trailers_without_end_are_refused(gateway: Running) -> None:
    long_value = (GET + b"X-Long: ", b"x" * 65_536, b"431")
    many = (GET, b"X-Many: yes\r\n" * 5000, b"431")
    long_path = (b"GET /", b"x" * 65_536, b"414")
    trailers = (CHUNKED, b"X-Many: yes\r\n" * 5000, b"431")

    for begin, go_on, status in (long_value, many, long_path, trailers):
        # A reset may overtake the answer; what counts is that nobody goes on reading.
        answer = await answer_to(gateway, begin, go_on, MUCH)
        assert answer[:12] in {b"HTTP/1.1 " + status, b""}, begin

    usual = await answer_to(gateway, GET + b"X-Long: " + b"x" * 20_000 + b"\r\n\r\n")
    assert usual.startswith(b"HTTP/1.1 200")


async def test_an_address_that_is_too_long_is_called_so(gateway: Running) -> None:
    for length, status in ((65_000, b"401"), (65_600, b"414"), (100_000, b"414")):
        line = b"GET /v1/me?x=" + b"x" * length + b" HTTP/1.1\r\nHost: x\r\n\r\n"

        assert (await answer_to(gateway, line)).startswith(b"HTTP/1.1 " + status), length


async def test_a_body_in_many_small_pieces_is_no_head(gateway: Running) -> None:
    pieces = b"".join(b"1\r\na\r\n" for _ in range(20_000))

    answer = await answer_to(
        gateway, HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + pieces + b"0\r\n\r\n"
    )

    assert answer.startswith(b"HTTP/1.1 422")


async def test_a_picture_in_pieces_without_a_length_is_refused_before_it_is_there(
    tmp_path: Path,
) -> None:
    account = {"username": "alice", "password": "seven green bicycles"}
    async with running(tmp_path) as gateway:
        async with httpx.AsyncClient(base_url=gateway.url, timeout=60) as http:
            token = (await http.post("/v1/auth/register", json=account)).json()["access_token"]
        answer, sent = await answer_to_much(gateway, token)

    assert answer[:12] in {b"HTTP/1.1 413", b""}
    # 16 MiB are taken; what more is on its way lies in buffers of the connection.
    assert sent < 48 * 1024 * 1024


async def answer_to_much(gateway: Running, token: str) -> tuple[bytes, int]:
    """Send a picture without an end until there is an answer; say how much was sent by then."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    head = (
        "POST /v1/analyses HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\n"
        f"Authorization: Bearer {token}\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    writer.write(head.encode())
    sent = 0

    async def endless() -> None:
        nonlocal sent
        piece = bytes(2**18)
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(b"40000\r\n" + piece + b"\r\n")
                await writer.drain()
                sent += len(piece)

    sending = asyncio.create_task(endless())
    try:
        answer = await asyncio.wait_for(reader.read(400), 60)
    except ConnectionError:
        answer = b""  # a reset may overtake the answer
    finally:
        sending.cancel()
        await asyncio.wait([sending])
        writer.close()
    return answer, sent


async def test_a_body_that_does_not_come_is_given_up(tmp_path: Path) -> None:
    async with running(tmp_path, DERMSERVE_GATEWAY_UPLOAD_TIMEOUT_S="0.5") as gateway:
        answer = await answer_to(gateway, HEAD + b"Content-Length: 100\r\n\r\nusername=")

    assert answer.startswith(b"HTTP/1.1 408")
