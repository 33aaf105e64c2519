"""A running inference server on a real socket, with models of a few hundred bytes."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from grpc import aio
from prometheus_client import CollectorRegistry

from services import rpc, telemetry
from services.inference.engine import engine
from services.inference.pipeline import Pipeline
from services.inference.server import SERVICES, server_of
from services.inference.settings import Settings
from services.pb import inference_pb2_grpc
from tests import tiny_models
from tests.inference import triton

if TYPE_CHECKING:  # the asynchronous stub is a type only
    from services.pb.inference_pb2_grpc import InferenceServiceAsyncStub as Stub


@asynccontextmanager
async def door(
    pipeline: Pipeline, registry: CollectorRegistry
) -> AsyncIterator[tuple[rpc.Server, str]]:
    """Serve a pipeline on a free port; the server, and the address to dial."""
    server = server_of(pipeline, registry, stream_width=4)
    port = await server.start("127.0.0.1", 0, SERVICES)
    await server.announce_ready()
    try:
        yield server, f"127.0.0.1:{port}"
    finally:  # a test that fails must not leave a server for ever
        await server.stop(grace_s=5)


@asynccontextmanager
async def listening(
    settings: Settings, registry: CollectorRegistry
) -> AsyncIterator[tuple[rpc.Server, str]]:
    """Serve on a free port; the server, and the address to dial."""
    async with engine(settings, registry) as pipeline, door(pipeline, registry) as opened:
        yield opened


@asynccontextmanager
async def serving(settings: Settings, registry: CollectorRegistry) -> AsyncIterator[aio.Channel]:
    """Serve on a free port and dial it."""
    async with listening(settings, registry) as (_, address), rpc.dial(address) as channel:
        yield channel


@pytest.fixture(autouse=True)
def models_run_as_published(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which backend is quickest differs from run to run; a test that asks says so."""
    monkeypatch.setenv("DERMSERVE_INFERENCE_EXECUTION_PROVIDER", "cpu")
    monkeypatch.setenv("DERMSERVE_INFERENCE_PRECISION", "fp32")


@pytest.fixture(scope="session")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.write_models(tmp_path_factory.mktemp("models"))


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """What a process of this room would log."""
    root = logging.getLogger()
    handlers = list(root.handlers)
    telemetry.configure_logging("inference")
    root.handlers[:] = handlers
    return caplog


@pytest.fixture
async def channel(model_dir: Path, registry: CollectorRegistry) -> AsyncIterator[aio.Channel]:
    async with serving(Settings(model_dir=model_dir, runners=2), registry) as dialled:
        yield dialled


@pytest.fixture
def stub(channel: aio.Channel) -> Stub:
    return inference_pb2_grpc.InferenceServiceStub(channel)


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    with triton.process() as started:
        yield started


@pytest.fixture
async def listened(
    model_dir: Path, registry: CollectorRegistry
) -> AsyncIterator[tuple[rpc.Server, str]]:
    async with listening(Settings(model_dir=model_dir, runners=2), registry) as found:
        yield found


@pytest.fixture
def client(pool: ProcessPoolExecutor, listened: tuple[rpc.Server, str]) -> triton.Client:
    return triton.Client(pool, listened[1])
