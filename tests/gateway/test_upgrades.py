"""Requests for another protocol: WebSocket is there, and all else is answered over HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from services.gateway.security_headers import SECURITY_HEADERS
from tests.gateway.processes import Running, running, told

HOST = b"Host: x\r\n"
LAST = b"Connection: close\r\n"
KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
VERSION = b"Sec-WebSocket-Version: 13\r\n"
UPGRADE = b"Connection: Upgrade, close\r\nUpgrade: websocket\r\n"
WATCH = b"GET /v1/events HTTP/1.1\r\n" + HOST + UPGRADE
HANDSHAKE = WATCH + KEY + VERSION
H2C = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
LIVE = b"GET /livez HTTP/1.1\r\n" + HOST
JSON = b"Content-Type: application/json\r\n"
REFRESH = b"POST /v1/auth/refresh HTTP/1.1\r\n" + HOST + JSON
TOKEN = b'{"refresh_token":"' + b"x" * 43 + b'"}'

NO_HANDSHAKES = {
    "no key": (WATCH + VERSION + b"\r\n", 401),
    "two keys": (HANDSHAKE + KEY + b"\r\n", 401),
    "no version": (WATCH + KEY + b"\r\n", 401),
    "an old version": (WATCH + KEY + b"Sec-WebSocket-Version: 8\r\n\r\n", 401),
    "another method": (HANDSHAKE.replace(b"GET", b"PUT") + b"\r\n", 405),
    "an old HTTP": (HANDSHAKE.replace(b"HTTP/1.1", b"HTTP/1.0") + b"\r\n", 401),
    "a body": (HANDSHAKE + b"Content-Length: 2\r\n\r\n{}", 401),
    "a body in chunks": (
        HANDSHAKE + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        401,
    ),
    "a long header": (HANDSHAKE + b"X-Long: " + b"x" * 10_000 + b"\r\n\r\n", 401),
    "many headers": (HANDSHAKE + b"X-Many: x\r\n" * 200 + b"\r\n", 401),
    "a long query": (HANDSHAKE.replace(b"events", b"events?x=" + b"x" * 10_000) + b"\r\n", 401),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    async with running(tmp_path_factory.mktemp("upgrades")) as gateway:
        yield gateway


def statuses(answers: bytes) -> list[int]:
    """Statuses of the answers on a connection, in their order."""
    return [int(each[:3]) for each in answers.split(b"HTTP/1.1 ")[1:]]


async def told_in_pieces(served: Running, first: bytes, *more: bytes) -> bytes:
    """Send pieces, each of the others once there is an answer to the first."""
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    try:
        writer.write(first)
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
        for piece in more:
            writer.write(piece)
            await writer.drain()
        return answer + await asyncio.wait_for(reader.read(-1), 60)
    finally:
        writer.close()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("case", NO_HANDSHAKES)
async def test_what_is_no_handshake_is_answered_as_the_request_that_it_is(
    served: Running, case: str
) -> None:
    sent, status = NO_HANDSHAKES[case]

    answer = await told(served, sent)

    head, _, body = answer.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().lower().split("\r\n")[1:])
    assert statuses(answer) == [status]
    assert headers["content-type"] == "application/problem+json"
    assert headers.keys() >= {name.lower() for name in SECURITY_HEADERS}
    assert json.loads(body)["request_id"] == headers["x-request-id"]


@pytest.mark.asyncio(loop_scope="module")
async def test_the_body_of_who_would_upgrade_is_the_bodys_and_no_request_of_its_own(
    served: Running,
) -> None:
    length = b"Content-Length: %d\r\n\r\n"
    smuggled = LIVE + b"\r\n"
    last = REFRESH + LAST + length % 2 + b"{}"

    whole = await told(served, REFRESH + H2C + length % len(TOKEN) + TOKEN + last)
    hidden = await told(served, REFRESH + H2C + length % len(smuggled) + smuggled + last)
    late = await told_in_pieces(
        served,
        LIVE + H2C + b"\r\n" + REFRESH + H2C + length % len(TOKEN),
        TOKEN,
        last,
    )

    assert statuses(whole) == [401, 422]
    assert statuses(hidden) == [422, 422]
    assert statuses(late) == [200, 401, 422]


@pytest.mark.asyncio(loop_scope="module")
async def test_what_follows_who_would_upgrade_is_answered(served: Running) -> None:
    upgrading = LIVE + H2C + b"\r\n"

    answers = await told(served, upgrading * 300 + LIVE + LAST + b"\r\n")

    assert statuses(answers) == [200] * 301


@pytest.mark.asyncio(loop_scope="module")
async def test_a_handshake_behind_requests_that_wait_does_not_overtake_them(
    served: Running,
) -> None:
    sign_in = b"username=admin&password=not+the+password"
    form = b"Content-Type: application/x-www-form-urlencoded\r\n"
    first = b"POST /v1/auth/token HTTP/1.1\r\n" + HOST + form
    waiting = first + b"Content-Length: %d\r\n\r\n" % len(sign_in) + sign_in

    answers = await told(served, waiting + LIVE + b"\r\n" + HANDSHAKE + b"\r\n")

    assert statuses(answers) == [401, 200, 401]


@pytest.mark.asyncio(loop_scope="module")
async def test_a_handshake_that_is_one_is_still_answered_as_one(served: Running) -> None:
    answer = await told(served, HANDSHAKE.replace(b"/v1/events", b"/livez") + b"\r\n")

    assert b"There is no WebSocket at this path." in answer


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("target", "status"), [(b"/livez", 405), (b"http://x/livez", 405)])
async def test_who_asks_for_a_tunnel_is_answered_once_and_over_http(
    served: Running, target: bytes, status: int
) -> None:
    answer = await told(served, b"CONNECT " + target + b" HTTP/1.1\r\n" + HOST + LAST + b"\r\n")

    assert statuses(answer) == [status]
    assert b"application/problem+json" in answer
