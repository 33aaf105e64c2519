"""Clients that misbehave on the wire, against a real process: nobody else suffers from them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import psutil
import pytest
from grpc import aio

from services import rpc
from services.inference.servicer import SERVICE
from services.pb import inference_pb2 as pb
from services.pb import inference_pb2_grpc
from tests import specimens
from tests.inference.processes import Replica, replica

if TYPE_CHECKING:  # the asynchronous stub is a type only
    from services.pb.inference_pb2_grpc import InferenceServiceAsyncStub as Stub

PICTURE = specimens.lesion_jpeg((300, 200))
GOOD = pb.AnalyzeRequest(image=PICTURE)
CONNECTIONS = 1000

# HTTP/2 by hand (RFC 9113), since no client library would do what follows.
HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes.fromhex("000000040000000000")
HEADERS, DATA, RST_STREAM = 1, 0, 3
END_HEADERS, END_STREAM = 4, 1


def frame(kind: int, flags: int, body: bytes, stream: int = 1) -> bytes:
    return struct.pack(">I", len(body))[1:] + struct.pack(">BBI", kind, flags, stream) + body


def headers(method: str = "Analyze", **more: str) -> bytes:
    """The head of a call, each field a literal that is never indexed (RFC 7541, 6.2.3)."""
    fields = {
        ":method": "POST",
        ":scheme": "http",
        ":path": f"/{SERVICE}/{method}",
        ":authority": "test",
        "content-type": "application/grpc",
        "te": "trailers",
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    return b"".join(
        b"\x10" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()
        for name, value in fields.items()
    )


def message(content: bytes) -> bytes:
    return struct.pack(">BI", 0, len(content)) + content


def call(content: bytes, stream: int = 1, **more: str) -> bytes:
    """A whole call, with whatever content and further headers."""
    head = frame(HEADERS, END_HEADERS, headers(**more), stream)
    return head + frame(DATA, END_STREAM, message(content), stream)


HALF_A_HEAD = HELLO + frame(HEADERS, END_HEADERS, headers())[:20]
NO_MESSAGE = HELLO + frame(HEADERS, END_HEADERS, headers())
HALF_A_MESSAGE = NO_MESSAGE + frame(DATA, 0, message(GOOD.SerializeToString())[:1000])
HALF_A_STREAM = (
    HELLO
    + frame(HEADERS, END_HEADERS, headers("AnalyzeStream"))
    + frame(DATA, 0, message(pb.AnalyzeStreamRequest(request=GOOD).SerializeToString())[:16_000])
)
OPENED_AND_RESET = HELLO + b"".join(
    frame(HEADERS, END_HEADERS, headers(), stream)
    + frame(RST_STREAM, 0, struct.pack(">I", 8), stream)
    for stream in range(1, 200, 2)
)
ODD_DEADLINES = HELLO + b"".join(
    call(b"", stream, grpc_timeout=value)
    for stream, value in zip(
        range(1, 99, 2),
        ("0n", "1n", "-1S", "99999999H", "999999999999H", "abc", "", "1", "H", "1.5S"),
        strict=False,
    )
)


HALFWAY = {
    "half a head": HALF_A_HEAD,
    "no message": NO_MESSAGE,
    "half a message": HALF_A_MESSAGE,
    "half a stream": HALF_A_STREAM,
    "opened and reset": OPENED_AND_RESET,
    "odd deadlines": ODD_DEADLINES,
    "no HTTP/2": b"GET / HTTP/1.1\r\nHost: test\r\n\r\n",
    "TLS": b"\x16\x03\x01" + bytes(200),
    "noise": b"\xff" * 5000,
}


@pytest.fixture(scope="module")
def service(model_dir: Path) -> Iterator[Replica]:
    with replica(model_dir) as running:
        yield running


@pytest.fixture
async def channel(service: Replica) -> AsyncIterator[aio.Channel]:
    async with rpc.dial(service.address) as dialled:
        await inference_pb2_grpc.InferenceServiceStub(dialled).Analyze(
            GOOD, timeout=60, wait_for_ready=True
        )
        yield dialled


@pytest.fixture
def stub(channel: aio.Channel) -> Stub:
    return inference_pb2_grpc.InferenceServiceStub(channel)


@contextlib.contextmanager
def saying(service: Replica, words: bytes, connections: int) -> Iterator[list[socket.socket]]:
    """Hold connections that say something and then nothing more; end them without a goodbye."""
    with contextlib.ExitStack() as owned:
        opened = []
        for _ in range(connections):
            one = owned.enter_context(socket.create_connection(("127.0.0.1", service.port)))
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            one.sendall(words)
            opened.append(one)
        yield opened


async def greeted(opened: list[socket.socket]) -> None:
    """Wait until the service has taken every connection: then it sends its settings."""

    def listen() -> None:
        for one in opened:
            one.settimeout(60)
            assert one.recv(9)

    await asyncio.to_thread(listen)


async def others_are_answered(stub: Stub) -> None:
    """Ask as a good client does; every call must be answered."""
    for _ in range(5):
        answers = await asyncio.gather(*(stub.Analyze(GOOD, timeout=60) for _ in range(4)))
        assert all(answer.image.width_px == 300 for answer in answers)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("words", [b"", HELLO], ids=["silent", "polite"])
async def test_a_thousand_idle_connections_keep_nobody_out_and_leave_nothing_behind(
    service: Replica, stub: Stub, words: bytes
) -> None:
    process = psutil.Process(service.process.pid)
    before = process.num_fds()
    with saying(service, words, CONNECTIONS) as opened:
        await others_are_answered(stub)
        await greeted(opened)
        await others_are_answered(stub)
    await until(lambda: process.num_fds() <= before + 2)


@pytest.mark.parametrize("words", HALFWAY.values(), ids=HALFWAY.keys())
async def test_who_stops_halfway_and_vanishes_harms_nobody_else(
    service: Replica, stub: Stub, words: bytes
) -> None:
    process = psutil.Process(service.process.pid)
    before = process.num_fds()
    with saying(service, words, 100):
        await others_are_answered(stub)
    await until(lambda: process.num_fds() <= before + 2)
    await others_are_answered(stub)


async def test_who_vanishes_from_a_stream_that_is_being_answered_harms_nobody_else(
    service: Replica, stub: Stub
) -> None:
    async def endless() -> AsyncIterator[pb.AnalyzeStreamRequest]:
        while True:
            yield pb.AnalyzeStreamRequest(request=GOOD)

    channels = [rpc.dial(service.address) for _ in range(5)]
    for one in channels:
        answers = inference_pb2_grpc.InferenceServiceStub(one).AnalyzeStream(endless())
        await anext(aiter(answers))
    await others_are_answered(stub)
    for one in channels:
        await one.close()
    await others_are_answered(stub)


async def test_metadata_that_is_too_large_is_refused_and_the_connection_lives(
    channel: aio.Channel, stub: Stub
) -> None:
    with pytest.raises(aio.AioRpcError) as refused:
        await stub.Analyze(GOOD, metadata=(("note", "x" * 200_000),), timeout=60)
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    del channel
    await others_are_answered(stub)


@pytest.mark.parametrize(
    "path", [f"/{SERVICE}/Diagnose", "/nobody/Analyze", "/", f"/{SERVICE}/", "//", "/a/b/c"]
)
async def test_a_method_that_nobody_has_is_unimplemented(channel: aio.Channel, path: str) -> None:
    unary: Any = channel.unary_unary(path)
    assert await unary(b"", timeout=60).code() == grpc.StatusCode.UNIMPLEMENTED


async def test_a_method_that_is_called_in_the_wrong_way_is_answered(
    channel: aio.Channel, stub: Stub
) -> None:
    streamed: Any = channel.stream_stream(f"/{SERVICE}/Analyze")
    answers = [each async for each in streamed(iter([GOOD.SerializeToString()] * 3), timeout=60)]
    assert pb.AnalyzeResponse.FromString(answers[0]).image.width_px == 300
    single: Any = channel.unary_unary(f"/{SERVICE}/AnalyzeStream")
    asked = pb.AnalyzeStreamRequest(id="alone", request=GOOD).SerializeToString()
    assert pb.AnalyzeStreamResponse.FromString(await single(asked, timeout=60)).id == "alone"
    await others_are_answered(stub)


async def test_of_thousands_at_once_each_is_answered_or_told_when_to_come_back(
    stub: Stub,
) -> None:
    calls = [stub.Analyze(GOOD, timeout=240) for _ in range(2000)]
    for outcome in await asyncio.gather(*calls, return_exceptions=True):
        if isinstance(outcome, aio.AioRpcError):
            assert outcome.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert rpc.reason_in(outcome.trailing_metadata()) in {"queue_full", "deadline"}
        else:
            assert isinstance(outcome, pb.AnalyzeResponse)
    await others_are_answered(stub)


async def test_a_message_beyond_all_limits_is_refused_and_the_connection_lives(
    service: Replica, stub: Stub
) -> None:
    options = [("grpc.max_send_message_length", -1), ("grpc.enable_http_proxy", 0)]
    async with aio.insecure_channel(service.address, options=options) as unlimited:
        huge = pb.AnalyzeRequest(image=bytes(rpc.MAX_MESSAGE_BYTES + 1))
        theirs = inference_pb2_grpc.InferenceServiceStub(unlimited)
        with pytest.raises(aio.AioRpcError) as refused:
            await theirs.Analyze(huge, timeout=60)
        assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        await others_are_answered(theirs)
    await others_are_answered(stub)
