"""Rooms that know each other by certificates, over real sockets."""

from __future__ import annotations  # gRPC's classes are generic for type checkers only

from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import grpc
import pytest
import trustme
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from services import rpc
from services.certificates import Certificates
from services.pb import inference_pb2_grpc as inference
from services.pb.inference_pb2 import AnalyzeRequest
from tests.authorities import issued
from tests.rpc.service import PATIENCE_S, SERVICE, refusal

Dial = Callable[[Certificates | None], aio.Channel]


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def of_the_gateway(authority: trustme.CA) -> Certificates:
    return issued(authority, "gateway")


@pytest.fixture
async def dial(server: rpc.Server, authority: trustme.CA) -> AsyncIterator[Dial]:
    """Dials a room that shows and wants certificates."""
    port = await server.start("127.0.0.1", 0, [SERVICE], issued(authority, "127.0.0.1"))
    await server.announce_ready()
    opened = []

    def dialled(certificates: Certificates | None) -> aio.Channel:
        opened.append(rpc.dial(f"127.0.0.1:{port}", certificates))
        return opened[-1]

    yield dialled
    for channel in opened:
        await channel.close()


async def is_refused(channel: aio.Channel) -> None:
    """Hold that neither a call nor a look at health is answered."""
    error = await refusal(inference.InferenceServiceStub(channel))
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    with pytest.raises(aio.AioRpcError) as caught:
        await health_pb2_grpc.HealthStub(channel).Check(
            health_pb2.HealthCheckRequest(), timeout=PATIENCE_S
        )
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_who_shows_a_certificate_of_the_authority_is_answered(
    dial: Dial, of_the_gateway: Certificates
) -> None:
    channel = dial(of_the_gateway)

    await inference.InferenceServiceStub(channel).Analyze(AnalyzeRequest(), timeout=PATIENCE_S)
    health = health_pb2_grpc.HealthStub(channel)
    answer = await health.Check(health_pb2.HealthCheckRequest(), timeout=PATIENCE_S)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_who_shows_no_certificate_is_refused(
    dial: Dial, of_the_gateway: Certificates
) -> None:
    await is_refused(dial(replace(of_the_gateway, chain=b"", key=b"")))


async def test_who_shows_one_of_another_authority_is_refused(
    dial: Dial, of_the_gateway: Certificates
) -> None:
    stranger = issued(trustme.CA(), "gateway")

    await is_refused(dial(replace(stranger, authority=of_the_gateway.authority)))


async def test_who_speaks_plain_grpc_is_refused(dial: Dial) -> None:
    await is_refused(dial(None))


async def test_a_room_that_another_authority_vouches_for_is_not_believed(
    dial: Dial, of_the_gateway: Certificates
) -> None:
    other = trustme.CA().cert_pem.bytes()

    await is_refused(dial(replace(of_the_gateway, authority=other)))


async def test_a_room_under_another_name_is_not_believed(
    server: rpc.Server, authority: trustme.CA, of_the_gateway: Certificates
) -> None:
    port = await server.start("127.0.0.1", 0, [SERVICE], issued(authority, "elsewhere.test"))
    await server.announce_ready()
    async with rpc.dial(f"127.0.0.1:{port}", of_the_gateway) as channel:
        await is_refused(channel)


async def test_whoever_has_certificates_never_speaks_plain_grpc(
    server: rpc.Server, of_the_gateway: Certificates
) -> None:
    port = await server.start("127.0.0.1", 0, [SERVICE])
    await server.announce_ready()
    async with rpc.dial(f"127.0.0.1:{port}", of_the_gateway) as channel:
        await is_refused(channel)
