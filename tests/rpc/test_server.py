"""A server's beginning and its end."""

from __future__ import annotations  # gRPC's classes are generic for type checkers only

import asyncio
import socket

import grpc
import pytest
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from services import rpc, telemetry
from services.pb import inference_pb2_grpc as inference
from services.pb.inference_pb2 import (
    AnalyzeRequest,
    AnalyzeStreamRequest,
    AnalyzeStreamResponse,
)
from services.rpc import drain
from tests.rpc.service import PATIENCE_S, SERVICE, Servicer, refusal


async def collected(
    call: aio.StreamStreamCall[AnalyzeStreamRequest, AnalyzeStreamResponse],
) -> list[AnalyzeStreamResponse]:
    return [answer async for answer in call]


async def test_stopping_lets_the_running_call_finish_and_turns_new_ones_away(
    channel: aio.Channel,
    stub: inference.InferenceServiceAsyncStub,
    servicer: Servicer,
    server: rpc.Server,
) -> None:
    began, finish = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        began.set()
        await finish.wait()

    servicer.act = work
    watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
    running = asyncio.ensure_future(stub.Analyze(AnalyzeRequest()))
    await began.wait()
    stopping = asyncio.create_task(server.stop(grace_s=PATIENCE_S))
    while await watch.read() is not aio.EOF:
        """Its end is the last that is heard before new calls are turned away."""
    assert (await refusal(stub)).code() is grpc.StatusCode.UNAVAILABLE
    finish.set()
    assert (await running).notice
    await stopping


async def test_a_stream_is_answered_up_to_the_servers_end_and_then_sent_elsewhere(
    stub: inference.InferenceServiceAsyncStub, server: rpc.Server
) -> None:
    call = stub.AnalyzeStream(timeout=PATIENCE_S)
    await call.write(AnalyzeStreamRequest(id="accepted"))
    answer = await call.read()
    assert isinstance(answer, AnalyzeStreamResponse)
    assert answer.id == "accepted"
    stopping = asyncio.create_task(server.stop(grace_s=PATIENCE_S))
    assert await call.code() == grpc.StatusCode.UNAVAILABLE
    trailers = await call.trailing_metadata()
    assert int(dict(trailers)[rpc.PUSHBACK_TRAILER]) > 0
    assert rpc.reason_in(trailers) == "draining"
    await stopping


async def test_a_stream_that_was_heard_to_its_end_ends_well_while_the_server_stops(
    stub: inference.InferenceServiceAsyncStub,
    servicer: Servicer,
    server: rpc.Server,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # That the caller has said its last word may be heard late on a busy machine.
    monkeypatch.setattr(drain, "_LAST_WORD_S", PATIENCE_S)
    began, finish = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        began.set()
        await finish.wait()

    servicer.act = work
    call = stub.AnalyzeStream(iter([AnalyzeStreamRequest(id="last")]), timeout=PATIENCE_S)
    answers = asyncio.ensure_future(collected(call))
    await began.wait()
    stopping = asyncio.create_task(server.stop(grace_s=PATIENCE_S))
    finish.set()
    assert [answer.id for answer in await answers] == ["last"]
    await stopping


async def test_a_taken_port_is_named(server: rpc.Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(telemetry.ListenerError, match=rf"on 127\.0\.0\.1:{port}: "):
            await server.start("127.0.0.1", port, [SERVICE])


async def test_a_host_that_is_none_is_named(server: rpc.Server) -> None:
    with pytest.raises(telemetry.ListenerError, match=r"on 256\.1\.1\.1:0: "):
        await server.start("256.1.1.1", 0, [SERVICE])
