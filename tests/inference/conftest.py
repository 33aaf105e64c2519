"""A running inference server on a real socket, with models of a few hundred bytes."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import structlog
from grpc import aio
from prometheus_client import CollectorRegistry

from services import rpc, telemetry
from services.inference.engine import engine
from services.inference.servicer import SERVICE, STATUSES, InferenceServicer
from services.inference.settings import Settings
from services.pb import inference_pb2_grpc
from tests import tiny_models

if TYPE_CHECKING:  # the asynchronous stub is a type only
    from services.pb.inference_pb2_grpc import InferenceServiceAsyncStub as Stub


@asynccontextmanager
async def serving(settings: Settings, registry: CollectorRegistry) -> AsyncIterator[aio.Channel]:
    """Serve on a free port and dial it."""
    async with engine(settings, registry) as pipeline:
        server = rpc.Server(STATUSES, registry, "inference")
        servicer = InferenceServicer(pipeline, stream_width=4)
        inference_pb2_grpc.add_InferenceServiceServicer_to_server(servicer, server.grpc)
        port = await server.start("127.0.0.1", 0, [SERVICE])
        await server.announce_ready()
        async with rpc.dial(f"127.0.0.1:{port}") as channel:
            yield channel
        await server.stop(grace_s=5)


@pytest.fixture(scope="session")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.write_models(tmp_path_factory.mktemp("models"))


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """What a process of this room would log; logging is left as it was found."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    telemetry.configure_logging("inference")
    root.handlers[:] = handlers
    yield caplog
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture
async def channel(model_dir: Path, registry: CollectorRegistry) -> AsyncIterator[aio.Channel]:
    async with serving(Settings(model_dir=model_dir, runners=2), registry) as dialled:
        yield dialled


@pytest.fixture
def stub(channel: aio.Channel) -> Stub:
    return inference_pb2_grpc.InferenceServiceStub(channel)
