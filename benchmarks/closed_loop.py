"""Callers who each ask for the same thing again as soon as they have an answer, over HTTP/1.1.

Cheap on purpose, for it shares the cores with what it measures: the bytes of the request are made
once, and of an answer only the status and the length are read. It runs in a process of its own,
and says how much processor time it took from the service beside it.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import uvloop

_HEAD_ENDS = b"\r\n\r\n"
_LENGTH = b"content-length: "
_OK = range(200, 300)


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of a time of asking.

    Attributes:
        requests: that were answered with 2xx.
        failed: that were answered otherwise, or not at all.
        seconds: from the first request to the last answer.
        cpu_s: processor seconds that the callers used.
        p50_ms: until an answer was there, median; 0 without any.

    """

    requests: int
    failed: int
    seconds: float
    cpu_s: float
    p50_ms: float


def asked(port: int, path: str, token: str, callers: int, seconds: float) -> Answered:
    """Have callers ask a gateway on this machine, from a process of their own.

    Args:
        port: of the gateway.
        path: what is asked for.
        token: proof of who asks.
        callers: each with a connection of their own.
        seconds: how long they go on.

    """
    numbers = [f"--callers={callers}", f"--seconds={seconds}", f"--port={port}"]
    finished = subprocess.run(
        [sys.executable, "-m", "benchmarks.closed_loop", *numbers],
        input=f"{path}\n{token}",
        capture_output=True,
        text=True,
        check=True,
    )
    return Answered(**json.loads(finished.stdout))


class _Caller(asyncio.Protocol):
    """One connection, with one request on its way at any time."""

    def __init__(self, request: bytes, until: float) -> None:
        self.waited: list[float] = []
        self.failed = 0
        self.ended = asyncio.get_running_loop().create_future()
        self._request = request
        self._until = until
        self._came = bytearray()
        self._whole = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._came += data
        if not self._whole:
            self._whole = _length(self._came)
        if self._whole and len(self._came) >= self._whole:
            self._note(int(self._came[9:12]))

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if not self.ended.done():
            self.failed += 1
            self.ended.set_result(None)

    def _ask(self) -> None:
        self._asked_at = time.perf_counter()
        self._transport.write(self._request)  # type: ignore[attr-defined] # it is one that writes

    def _note(self, status: int) -> None:
        self.waited.append(time.perf_counter() - self._asked_at)
        self.failed += status not in _OK
        self._came.clear()
        self._whole = 0
        if time.perf_counter() < self._until:
            self._ask()
        else:
            self.ended.set_result(None)
            self._transport.close()


def _length(came: bytearray) -> int:
    """Return how many bytes an answer has, 0 while that is not known."""
    head = came.find(_HEAD_ENDS)
    if head < 0:
        return 0
    at = came.find(_LENGTH) + len(_LENGTH)
    return head + len(_HEAD_ENDS) + int(came[at : came.index(b"\r\n", at)])


async def _all(port: int, request: bytes, callers: int, seconds: float) -> Answered:
    loop = asyncio.get_running_loop()
    began, used = time.perf_counter(), time.process_time()
    until = began + seconds
    there = []
    for _ in range(callers):
        _, caller = await loop.create_connection(lambda: _Caller(request, until), "127.0.0.1", port)
        there.append(caller)
    await asyncio.gather(*(caller.ended for caller in there))
    waited = [each for caller in there for each in caller.waited]
    failed = sum(caller.failed for caller in there)
    return Answered(
        requests=len(waited) - failed,
        failed=failed,
        seconds=time.perf_counter() - began,
        cpu_s=time.process_time() - used,
        p50_ms=1000 * statistics.median(waited or [0]),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Ask, and write what became of it to stdout; path and token come on stdin."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--callers", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    given = parser.parse_args(arguments)
    path, token = sys.stdin.read().split("\n")
    request = (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r\n"
    ).encode()
    print(json.dumps(asdict(uvloop.run(_all(given.port, request, given.callers, given.seconds)))))


if __name__ == "__main__":
    main()
