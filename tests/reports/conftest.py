"""A real report server on a free port, and a channel to it."""

from collections.abc import AsyncIterator, Iterator

import pytest
from grpc import aio
from prometheus_client import CollectorRegistry

from services import rpc
from services.pb import reports_pb2_grpc
from services.reports import fonts, servicer
from services.reports.metrics import Metrics
from services.reports.renderers import Renderers
from services.rpc.limits import MAX_MESSAGE_BYTES

MAX_PIXELS = 1_000_000
MAX_HELD_BYTES = 2 * MAX_MESSAGE_BYTES


@pytest.fixture(scope="session", autouse=True)
def _fonts() -> None:
    fonts.register()


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def renderers() -> Iterator[Renderers]:
    """One renderer, and room for one who waits."""
    built = Renderers(max_concurrent=1, max_waiting=1, max_held_bytes=MAX_HELD_BYTES)
    yield built
    built.close()


@pytest.fixture
async def channel(renderers: Renderers, registry: CollectorRegistry) -> AsyncIterator[aio.Channel]:
    server = rpc.Server(servicer.STATUSES, registry, room="reports")
    metrics = Metrics(registry)
    metrics.watch(lambda: renderers.waiting, lambda: renderers.held_bytes)
    reports_pb2_grpc.add_ReportServiceServicer_to_server(
        servicer.ReportServicer(renderers, metrics, MAX_PIXELS), server.grpc
    )
    port = await server.start("127.0.0.1", 0, [servicer.SERVICE])
    await server.announce_ready()
    async with rpc.dial(f"127.0.0.1:{port}") as dialled:
        yield dialled
    await server.stop(grace_s=5)


@pytest.fixture
def stub(channel: aio.Channel) -> "reports_pb2_grpc.ReportServiceAsyncStub":
    return reports_pb2_grpc.ReportServiceStub(channel)
