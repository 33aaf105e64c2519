"""Serving and dialling, driven over a real socket by a service of five lines.

The service borrows a contract of the project: what it answers is its own affair.
"""

from __future__ import annotations  # gRPC's classes are generic for type checkers only

import asyncio
import math
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import pytest
import structlog
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from prometheus_client import CollectorRegistry

from services import rpc, telemetry
from services.pb import inference_pb2_grpc as inference
from services.pb.inference_pb2 import (
    AnalyzeRequest,
    AnalyzeResponse,
    AnalyzeStreamRequest,
    AnalyzeStreamResponse,
)
from services.rpc import statuses

SERVICE = "dermserve.inference.v1.InferenceService"
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class WrongError(Exception):
    """Somebody else's fault."""


class VeryWrongError(WrongError):
    """The same, but more so."""


class FullError(Exception):
    """Too much to do."""

    retry_after_s = 1.5
    reason = "full"


STATUSES: rpc.Statuses = {
    WrongError: grpc.StatusCode.INVALID_ARGUMENT,
    FullError: grpc.StatusCode.RESOURCE_EXHAUSTED,
}


class Servicer(inference.InferenceServiceServicer):
    """Does in a call whatever the test wants done."""

    def __init__(self) -> None:
        self.act: Callable[[], Awaitable[object]] = nothing
        self.deadline = math.nan

    async def Analyze(  # noqa: N802 - the contract's
        self, _: AnalyzeRequest, context: aio.ServicerContext[object, object]
    ) -> AnalyzeResponse:
        self.deadline = rpc.deadline_of(context)
        await self.act()
        return AnalyzeResponse(notice=telemetry.current_request_id() or "")

    async def AnalyzeStream(  # noqa: N802 - the contract's
        self, requests: AsyncIterator[AnalyzeStreamRequest], _: object
    ) -> AsyncIterator[AnalyzeStreamResponse]:
        async for request in requests:
            await self.act()
            yield AnalyzeStreamResponse(id=request.id)

    async def ListModels(self, *_: object) -> None:  # type: ignore[override]  # noqa: N802
        raise NotImplementedError


async def nothing() -> None:
    """Answer at once."""


def failing(error: Exception) -> Callable[[], Awaitable[object]]:
    async def fail() -> None:
        raise error

    return fail


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def servicer() -> Servicer:
    return Servicer()


@pytest.fixture
async def server(servicer: Servicer, registry: CollectorRegistry) -> AsyncIterator[rpc.Server]:
    built = rpc.Server(STATUSES, registry, room="test")
    inference.add_InferenceServiceServicer_to_server(servicer, built.grpc)
    yield built
    await built.stop(grace_s=0)


@pytest.fixture
async def channel(server: rpc.Server) -> AsyncIterator[aio.Channel]:
    port = await server.start("127.0.0.1", 0, [SERVICE])
    async with rpc.dial(f"127.0.0.1:{port}") as dialled:
        yield dialled


@pytest.fixture
def stub(channel: aio.Channel) -> inference.InferenceServiceAsyncStub:
    return inference.InferenceServiceStub(channel)


async def collected(
    call: aio.StreamStreamCall[AnalyzeStreamRequest, AnalyzeStreamResponse],
) -> list[AnalyzeStreamResponse]:
    return [answer async for answer in call]


def counted(registry: CollectorRegistry, code: str, method: str = "Analyze") -> float | None:
    return registry.get_sample_value("test_rpcs_total", {"method": method, "code": code})


async def until_counted(registry: CollectorRegistry, code: str) -> None:
    """Wait for a call that the server notices only after its caller is gone."""
    async with asyncio.timeout(5):
        while counted(registry, code) is None:  # noqa: ASYNC110 - a test may poll
            await asyncio.sleep(0.01)


async def refusal(stub: inference.InferenceServiceAsyncStub) -> aio.AioRpcError:
    with pytest.raises(aio.AioRpcError) as caught:
        await stub.Analyze(AnalyzeRequest(), timeout=5)
    return caught.value


@pytest.mark.parametrize("error", [WrongError("look here"), VeryWrongError("look here")])
async def test_a_domain_error_becomes_the_status_of_its_nearest_ancestor(
    stub: inference.InferenceServiceAsyncStub, servicer: Servicer, error: Exception
) -> None:
    servicer.act = failing(error)
    answer = await refusal(stub)
    assert answer.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert answer.details() == "look here"


def test_the_nearest_ancestor_wins() -> None:
    statuses = {**STATUSES, VeryWrongError: grpc.StatusCode.DATA_LOSS}
    assert rpc.status_of(VeryWrongError(), statuses) is grpc.StatusCode.DATA_LOSS
    assert rpc.status_of(WrongError(), statuses) is grpc.StatusCode.INVALID_ARGUMENT
    assert rpc.status_of(KeyError(), statuses) is None


async def test_an_error_that_knows_when_to_come_back_says_so_in_a_trailer(
    stub: inference.InferenceServiceAsyncStub, servicer: Servicer
) -> None:
    servicer.act = failing(FullError("full"))
    answer = await refusal(stub)
    assert answer.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert dict(answer.trailing_metadata())[rpc.PUSHBACK_TRAILER] == "1500"


async def test_an_error_says_what_it_is_in_a_word_for_machines_if_it_has_one(
    stub: inference.InferenceServiceAsyncStub, servicer: Servicer
) -> None:
    for error, word in ((FullError("full"), "full"), (WrongError("look here"), None)):
        servicer.act = failing(error)
        assert rpc.reason_in((await refusal(stub)).trailing_metadata()) == word


@pytest.mark.parametrize("method", ["Analyze", "AnalyzeStream"])
async def test_bytes_that_are_no_message_are_the_callers_fault(
    channel: aio.Channel, method: str, registry: CollectorRegistry
) -> None:
    path, broken = f"/{SERVICE}/{method}", b"\x0a\xff"
    unary: Any = channel.unary_unary(path)
    stream: Any = channel.stream_stream(path)
    call = unary(broken) if method == "Analyze" else stream(iter([broken]))
    assert await call.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "cannot be read" in await call.details()
    assert counted(registry, "INVALID_ARGUMENT", method) == 1


async def test_an_unknown_error_is_told_in_constant_words_and_logged_whole(
    stub: inference.InferenceServiceAsyncStub,
    servicer: Servicer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A logger that was used before keeps what it was configured with then.
    monkeypatch.setattr(statuses, "_log", structlog.get_logger())
    servicer.act = failing(KeyError("secret"))
    with structlog.testing.capture_logs() as log:
        answer = await refusal(stub)
    assert answer.code() is grpc.StatusCode.INTERNAL
    assert "secret" not in str(answer.details())
    (line,) = [line for line in log if line["event"] == "call failed"]
    assert isinstance(line["exc_info"], KeyError)


async def test_a_deadline_is_a_moment_of_the_event_loops_clock(
    stub: inference.InferenceServiceAsyncStub, servicer: Servicer
) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await stub.Analyze(AnalyzeRequest(), timeout=50)
    assert began + 49 < servicer.deadline < loop.time() + 51
    await stub.Analyze(AnalyzeRequest())
    assert servicer.deadline == math.inf


async def test_a_stream_ends_with_the_status_of_its_error(
    stub: inference.InferenceServiceAsyncStub, servicer: Servicer, registry: CollectorRegistry
) -> None:
    call = stub.AnalyzeStream(iter([AnalyzeStreamRequest(id="1")]))
    assert [answer.id async for answer in call] == ["1"]
    servicer.act = failing(WrongError("look here"))
    with pytest.raises(aio.AioRpcError) as caught:
        [_ async for _ in stub.AnalyzeStream(iter([AnalyzeStreamRequest()]))]
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert counted(registry, "OK", "AnalyzeStream") == 1
    assert counted(registry, "INVALID_ARGUMENT", "AnalyzeStream") == 1


async def test_calls_are_counted_by_code_and_timed(
    stub: inference.InferenceServiceAsyncStub, servicer: Servicer, registry: CollectorRegistry
) -> None:
    await stub.Analyze(AnalyzeRequest())
    for error in (WrongError(), FullError(), KeyError()):
        servicer.act = failing(error)
        await refusal(stub)
    for code in ("OK", "INVALID_ARGUMENT", "RESOURCE_EXHAUSTED", "INTERNAL"):
        assert counted(registry, code) == 1
    assert registry.get_sample_value("test_rpc_seconds_count", {"method": "Analyze"}) == 4


async def test_a_caller_who_leaves_is_counted_as_cancelled(
    stub: inference.InferenceServiceAsyncStub, servicer: Servicer, registry: CollectorRegistry
) -> None:
    began = asyncio.Event()

    async def endless() -> None:
        began.set()
        await asyncio.sleep(60)

    servicer.act = endless
    call = stub.Analyze(AnalyzeRequest())
    await began.wait()
    call.cancel()
    await until_counted(registry, "CANCELLED")


async def test_a_deadline_ends_the_work_and_the_call(
    stub: inference.InferenceServiceAsyncStub, servicer: Servicer, registry: CollectorRegistry
) -> None:
    async def endless() -> None:
        await asyncio.sleep(60)

    servicer.act = endless
    with pytest.raises(aio.AioRpcError) as caught:
        await stub.Analyze(AnalyzeRequest(), timeout=0.1)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    await until_counted(registry, "DEADLINE_EXCEEDED")


async def test_the_request_id_in_force_travels_with_the_call(
    stub: inference.InferenceServiceAsyncStub,
) -> None:
    telemetry.enter_request("from-the-door")
    assert (await stub.Analyze(AnalyzeRequest())).notice == "from-the-door"


async def test_a_call_without_an_id_gets_one_of_its_own(
    stub: inference.InferenceServiceAsyncStub,
) -> None:
    ids = {(await stub.Analyze(AnalyzeRequest())).notice for _ in range(2)}
    assert len(ids) == 2


async def test_an_id_that_came_as_metadata_is_kept_and_a_harmful_one_is_not(
    stub: inference.InferenceServiceAsyncStub,
) -> None:
    for received, kept in (("abc-1", True), ("a b", False)):
        metadata = ((rpc.REQUEST_ID_HEADER, received),)
        answer = await stub.Analyze(AnalyzeRequest(), metadata=metadata)
        assert (answer.notice == received) is kept


async def test_health_says_ready_only_once_announced(
    channel: aio.Channel, server: rpc.Server
) -> None:
    check = health_pb2_grpc.HealthStub(channel).Check
    for service in ("", SERVICE):
        answer = await check(health_pb2.HealthCheckRequest(service=service))
        assert answer.status == NOT_SERVING
    await server.announce_ready()
    for service in ("", SERVICE):
        answer = await check(health_pb2.HealthCheckRequest(service=service))
        assert answer.status == SERVING


async def test_reflection_lists_the_services(channel: aio.Channel) -> None:
    reflected = reflection_pb2_grpc.ServerReflectionStub(channel)
    ask = reflection_pb2.ServerReflectionRequest(list_services="")
    async for answer in reflected.ServerReflectionInfo(iter([ask])):
        listed = {service.name for service in answer.list_services_response.service}
    assert {SERVICE, "grpc.health.v1.Health"} <= listed


async def test_a_picture_above_the_default_limit_of_grpc_gets_through(
    stub: inference.InferenceServiceAsyncStub,
) -> None:
    await stub.Analyze(AnalyzeRequest(image=bytes(17 * 1024 * 1024)))


async def test_stopping_lets_the_running_call_finish_and_turns_new_ones_away(
    stub: inference.InferenceServiceAsyncStub, servicer: Servicer, server: rpc.Server
) -> None:
    began, finish = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        began.set()
        await finish.wait()

    servicer.act = work
    running = asyncio.ensure_future(stub.Analyze(AnalyzeRequest()))
    await began.wait()
    stopping = asyncio.create_task(server.stop(grace_s=5))
    await asyncio.sleep(0.1)
    assert (await refusal(stub)).code() is grpc.StatusCode.UNAVAILABLE
    finish.set()
    assert (await running).notice
    await stopping


async def test_a_stream_is_answered_up_to_the_servers_end_and_then_sent_elsewhere(
    stub: inference.InferenceServiceAsyncStub, server: rpc.Server
) -> None:
    call = stub.AnalyzeStream(timeout=10)
    await call.write(AnalyzeStreamRequest(id="accepted"))
    answer = await call.read()
    assert isinstance(answer, AnalyzeStreamResponse)
    assert answer.id == "accepted"
    stopping = asyncio.create_task(server.stop(grace_s=5))
    assert await call.code() == grpc.StatusCode.UNAVAILABLE
    trailers = await call.trailing_metadata()
    assert int(dict(trailers)[rpc.PUSHBACK_TRAILER]) > 0
    assert rpc.reason_in(trailers) == "draining"
    await stopping


async def test_a_stream_that_was_heard_to_its_end_ends_well_while_the_server_stops(
    stub: inference.InferenceServiceAsyncStub, servicer: Servicer, server: rpc.Server
) -> None:
    began, finish = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        began.set()
        await finish.wait()

    servicer.act = work
    call = stub.AnalyzeStream(iter([AnalyzeStreamRequest(id="last")]), timeout=10)
    answers = asyncio.ensure_future(collected(call))
    await began.wait()
    stopping = asyncio.create_task(server.stop(grace_s=5))
    finish.set()
    assert [answer.id for answer in await answers] == ["last"]
    await stopping


async def test_whoever_watches_health_hears_of_the_end_and_does_not_delay_it(
    channel: aio.Channel, server: rpc.Server
) -> None:
    await server.announce_ready()
    watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
    assert (await watch.read()).status == SERVING
    async with asyncio.timeout(5):
        await server.stop(grace_s=60)
        assert (await watch.read()).status == NOT_SERVING
        assert await watch.read() is aio.EOF


async def test_a_server_that_leaves_is_still_alive_and_still_answers(
    channel: aio.Channel, server: rpc.Server, stub: inference.InferenceServiceAsyncStub
) -> None:
    check = health_pb2_grpc.HealthStub(channel).Check
    await server.announce_ready()
    await server.announce_end()
    ready = await check(health_pb2.HealthCheckRequest(service=SERVICE))
    alive = await check(health_pb2.HealthCheckRequest(service=rpc.LIVENESS))
    assert (ready.status, alive.status) == (NOT_SERVING, SERVING)
    assert (await stub.Analyze(AnalyzeRequest())).notice


async def test_a_defect_says_that_the_process_should_be_replaced(
    channel: aio.Channel, server: rpc.Server
) -> None:
    check = health_pb2_grpc.HealthStub(channel).Check
    await server.announce_defect()
    for name in ("", SERVICE, rpc.LIVENESS):
        answer = await check(health_pb2.HealthCheckRequest(service=name))
        assert answer.status == NOT_SERVING


async def test_a_name_that_nobody_serves_is_not_found_and_can_be_watched(
    channel: aio.Channel,
) -> None:
    stub = health_pb2_grpc.HealthStub(channel)
    with pytest.raises(aio.AioRpcError) as caught:
        await stub.Check(health_pb2.HealthCheckRequest(service="nobody"))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    watch = stub.Watch(health_pb2.HealthCheckRequest(service="nobody"))
    assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN


async def test_a_taken_port_is_named(server: rpc.Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(telemetry.ListenerError, match=rf"on 127\.0\.0\.1:{port}: "):
            await server.start("127.0.0.1", port, [SERVICE])


async def test_a_host_that_is_none_is_named(server: rpc.Server) -> None:
    with pytest.raises(telemetry.ListenerError, match=r"on 256\.1\.1\.1:0: "):
        await server.start("256.1.1.1", 0, [SERVICE])
