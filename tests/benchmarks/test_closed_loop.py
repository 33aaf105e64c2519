"""Callers over HTTP/1.1 count what they are answered, however it comes."""

import asyncio
from collections import Counter

from benchmarks import closed_loop

ANSWER = b"HTTP/1.1 %b\r\ncontent-length: 4\r\n\r\nbody"
CALLERS = 3
TURNS_S = (0.2, 2, 20)
"""In a short turn a busy machine may come to nothing; then it has a longer one."""


class Server:
    """Answers everything with the same, in two pieces."""

    def __init__(self, status: bytes) -> None:
        self.answer = ANSWER % status
        self.asked: Counter[bytes] = Counter()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := await reader.readuntil(b"\r\n\r\n"):
                self.asked[request] += 1
                writer.write(self.answer[:30])
                await writer.drain()
                writer.write(self.answer[30:])
        except asyncio.IncompleteReadError:
            """The caller has hung up."""
        finally:
            writer.close()


async def answered(server: Server, seconds: float) -> closed_loop.Answered:
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    async with listening:
        return await asyncio.to_thread(
            closed_loop.asked, port, "/v1/me", "secret", CALLERS, seconds
        )


async def test_every_answer_is_counted_once_and_every_caller_asks_until_the_end() -> None:
    for seconds in TURNS_S:
        server = Server(b"200 OK")
        found = await answered(server, seconds)
        assert found.failed == 0
        assert found.requests == server.asked.total()
        assert found.seconds >= seconds
        if found.requests > 10 * CALLERS:
            break
    assert found.requests > 10 * CALLERS
    assert found.cpu_s > 0
    assert found.p50_ms > 0
    (request,) = server.asked
    assert request.startswith(b"GET /v1/me HTTP/1.1\r\n")
    assert b"Authorization: Bearer secret\r\n" in request


async def test_what_is_not_2xx_has_failed() -> None:
    server = Server(b"503 Service Unavailable")
    found = await answered(server, TURNS_S[0])
    assert found.requests == 0
    assert found.failed == server.asked.total() > 0
