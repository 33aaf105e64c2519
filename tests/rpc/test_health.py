"""What a server says of itself."""

from __future__ import annotations  # gRPC's classes are generic for type checkers only

import asyncio

import grpc
import pytest
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from services import rpc
from services.pb import inference_pb2_grpc as inference
from services.pb.inference_pb2 import AnalyzeRequest
from tests.rpc.service import PATIENCE_S, SERVICE

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


async def test_health_says_ready_only_once_announced(
    plain: aio.Channel, server: rpc.Server
) -> None:
    check = health_pb2_grpc.HealthStub(plain).Check
    for service in ("", SERVICE):
        answer = await check(health_pb2.HealthCheckRequest(service=service))
        assert answer.status == NOT_SERVING
    await server.announce_ready()
    for service in ("", SERVICE):
        answer = await check(health_pb2.HealthCheckRequest(service=service))
        assert answer.status == SERVING


async def test_reflection_lists_the_services(plain: aio.Channel) -> None:
    reflected = reflection_pb2_grpc.ServerReflectionStub(plain)
    ask = reflection_pb2.ServerReflectionRequest(list_services="")
    async for answer in reflected.ServerReflectionInfo(iter([ask])):
        listed = {service.name for service in answer.list_services_response.service}
    assert {SERVICE, "grpc.health.v1.Health"} <= listed


async def test_whoever_watches_health_hears_of_the_end_and_does_not_delay_it(
    plain: aio.Channel, server: rpc.Server
) -> None:
    await server.announce_ready()
    watch = health_pb2_grpc.HealthStub(plain).Watch(health_pb2.HealthCheckRequest())
    assert (await watch.read()).status == SERVING
    async with asyncio.timeout(PATIENCE_S):
        await server.stop(grace_s=2 * PATIENCE_S)
        assert (await watch.read()).status == NOT_SERVING
        assert await watch.read() is aio.EOF


async def test_a_server_that_leaves_is_still_alive_and_still_answers(
    plain: aio.Channel, server: rpc.Server
) -> None:
    check = health_pb2_grpc.HealthStub(plain).Check
    await server.announce_ready()
    await server.announce_end()
    ready = await check(health_pb2.HealthCheckRequest(service=SERVICE))
    alive = await check(health_pb2.HealthCheckRequest(service=rpc.LIVENESS))
    assert (ready.status, alive.status) == (NOT_SERVING, SERVING)
    assert (await inference.InferenceServiceStub(plain).Analyze(AnalyzeRequest())).notice


async def test_a_defect_says_that_the_process_should_be_replaced(
    plain: aio.Channel, server: rpc.Server
) -> None:
    check = health_pb2_grpc.HealthStub(plain).Check
    await server.announce_defect()
    for name in ("", SERVICE, rpc.LIVENESS):
        answer = await check(health_pb2.HealthCheckRequest(service=name))
        assert answer.status == NOT_SERVING


async def test_a_name_that_nobody_serves_is_not_found_and_can_be_watched(
    plain: aio.Channel,
) -> None:
    stub = health_pb2_grpc.HealthStub(plain)
    with pytest.raises(aio.AioRpcError) as caught:
        await stub.Check(health_pb2.HealthCheckRequest(service="nobody"))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    watch = stub.Watch(health_pb2.HealthCheckRequest(service="nobody"))
    assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
