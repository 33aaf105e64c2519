"""Long reports and short ones at the real door: neither keeps the other waiting for ever."""

import asyncio
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from grpc import aio
from prometheus_client import CollectorRegistry

from services.pb.reports_pb2 import RenderRequest
from services.reports import document
from services.reports.renderers import Renderers
from tests import specimens
from tests.reports import messages
from tests.reports.conftest import MAX_HELD_BYTES
from tests.reports.test_renderers import Gated, until_waiting

if TYPE_CHECKING:
    # The stubs know it, the generated code does not.
    from services.pb.reports_pb2_grpc import ReportServiceAsyncStub


@pytest.fixture
def renderers() -> Iterator[Renderers]:
    """Two renderers, as many as a service has that nobody set up."""
    built = Renderers(max_concurrent=2, max_waiting=8, max_held_bytes=MAX_HELD_BYTES)
    yield built
    built.close()


def batch(rows: int) -> RenderRequest:
    request = messages.batch(rows)
    small = specimens.lesion_jpeg((120, 90))
    for row in request.batch.rows:
        if row.HasField("analysis"):
            row.analysis.image = small
            row.analysis.ClearField("mask_png")
    return request


class Order:
    """Asks, and remembers who was answered when."""

    def __init__(self, stub: "ReportServiceAsyncStub") -> None:
        self._stub = stub
        self.answered: list[str] = []

    def ask(self, name: str, request: RenderRequest) -> "asyncio.Task[None]":
        return asyncio.create_task(self._ask(name, request))

    async def _ask(self, name: str, request: RenderRequest) -> None:
        assert (await self._stub.Render(request)).page_count
        self.answered.append(name)


async def until(seen: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not seen():  # noqa: ASYNC110 - a test may poll
            await asyncio.sleep(0.005)


async def until_a_long_one_is_at_work(renderers: Renderers) -> None:
    await until(lambda: not renderers._turns.has_room(is_long=True))


async def until_something_is_set() -> None:
    """Wait until pictures are decoded and the PDF library is taken."""
    await until(lambda: document._typesetting._taken)


def counted(registry: CollectorRegistry, name: str) -> float:
    """Return the sum of a metric, whatever its labels."""
    found = (sample for metric in registry.collect() for sample in metric.samples)
    return sum(sample.value for sample in found if sample.name == name)


async def test_one_page_is_answered_before_the_batches_that_are_rendered_and_that_wait(
    stub: "ReportServiceAsyncStub", renderers: Renderers
) -> None:
    order = Order(stub)
    batches = [order.ask("large batch", batch(1_000))]
    await until_a_long_one_is_at_work(renderers)
    for number in range(1, 4):
        batches.append(order.ask(f"batch {number}", batch(20)))
        await until_waiting(renderers, number)
    await until_something_is_set()
    await order.ask("one page", messages.assessed())
    assert order.answered == ["one page"]
    await asyncio.gather(*batches)


async def test_a_batch_is_answered_before_the_pages_that_were_asked_for_after_it(
    stub: "ReportServiceAsyncStub", renderers: Renderers
) -> None:
    order = Order(stub)
    busy = [Gated(renderers, is_long=False) for _ in range(2)]
    for each in busy:
        await each.begun()
    asked = [order.ask("batch", batch(20))]
    await until_waiting(renderers, 1)
    for number in range(1, 4):
        asked.append(order.ask(f"page {number}", messages.bare()))
        await until_waiting(renderers, 1 + number)
    await busy[0].end()
    await asyncio.gather(*asked)
    await busy[1].end()
    assert order.answered == ["batch", "page 1", "page 2", "page 3"]


@pytest.mark.parametrize("timeout_s", [None, 1])
async def test_a_batch_that_nobody_waits_for_any_more_is_not_set_to_its_end(
    stub: "ReportServiceAsyncStub",
    renderers: Renderers,
    registry: CollectorRegistry,
    timeout_s: float | None,
) -> None:
    with document._typesetting.turn():
        call = stub.Render(batch(20), timeout=timeout_s)
        if timeout_s is None:
            await until(lambda: bool(document._typesetting._line))
            call.cancel()
        with pytest.raises((asyncio.CancelledError, aio.AioRpcError)):
            await call
        await until(lambda: counted(registry, "reports_rpcs_total") == 1)
    await until(lambda: renderers._turns.has_room(is_long=True))
    assert counted(registry, "reports_render_seconds_count") == 0
    assert (await stub.Render(batch(20), timeout=60)).page_count
