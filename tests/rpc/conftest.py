from __future__ import annotations  # gRPC's classes are generic for type checkers only

from collections.abc import AsyncIterator

import pytest
from grpc import aio
from prometheus_client import CollectorRegistry

from services import rpc
from services.pb import inference_pb2_grpc as inference
from tests.rpc.service import SERVICE, STATUSES, Servicer


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
    await server.announce_ready()
    async with rpc.dial(f"127.0.0.1:{port}") as dialled:
        yield dialled


@pytest.fixture
def stub(channel: aio.Channel) -> inference.InferenceServiceAsyncStub:
    return inference.InferenceServiceStub(channel)


@pytest.fixture
async def plain(server: rpc.Server) -> AsyncIterator[aio.Channel]:
    """A channel that asks whatever is there, ready or not."""
    port = await server.start("127.0.0.1", 0, [SERVICE])
    async with aio.insecure_channel(f"127.0.0.1:{port}") as dialled:
        yield dialled
