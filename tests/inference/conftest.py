"""A running inference server on a real socket, with models of a few hundred bytes."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from grpc import aio
from prometheus_client import CollectorRegistry

from services import rpc
from services.inference.engine import engine
from services.inference.pipeline import Pipeline
from services.inference.servicer import SERVICE, STATUSES, InferenceServicer
from services.inference.settings import Settings
from services.pb import inference_pb2_grpc
from tests import tiny_models


@pytest.fixture(scope="session")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.write_models(tmp_path_factory.mktemp("models"))


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
async def pipeline(model_dir: Path, registry: CollectorRegistry) -> AsyncIterator[Pipeline]:
    async with engine(Settings(model_dir=model_dir, runners=2), registry) as running:
        yield running


@pytest.fixture
async def channel(pipeline: Pipeline, registry: CollectorRegistry) -> AsyncIterator[aio.Channel]:
    server = rpc.Server(STATUSES, registry, "inference")
    servicer = InferenceServicer(pipeline, stream_width=4)
    inference_pb2_grpc.add_InferenceServiceServicer_to_server(servicer, server.grpc)
    port = await server.start("127.0.0.1", 0, [SERVICE])
    await server.announce_ready()
    async with rpc.dial(f"127.0.0.1:{port}") as dialled:
        yield dialled
    await server.stop(grace_s=5)


@pytest.fixture
def stub(channel: aio.Channel) -> "inference_pb2_grpc.InferenceServiceAsyncStub":
    return inference_pb2_grpc.InferenceServiceStub(channel)
