"""Long reports and short ones at the real door: neither keeps the other waiting for ever."""

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from grpc import aio
from prometheus_client import CollectorRegistry

from services.pb.reports_pb2 import RenderRequest
from services.reports import document
from services.reports.renderers import Renderers
from services.reports.typesetting import Typesetting
from tests import specimens
from tests.reports import messages
from tests.reports.conftest import MAX_HELD_BYTES
from tests.reports.test_renderers import PATIENCE_S, Gated, has_come, until, until_waiting

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


class Sociable(Typesetting):
    """Goes on with a document only while another one is there, until it is let go on alone."""

    def __init__(self) -> None:
        super().__init__(slice_s=0)
        self.alone = threading.Event()

    def give_way(self) -> None:
        until = time.monotonic() + PATIENCE_S
        while not (self._line or self.alone.is_set()):
            assert time.monotonic() < until, "nobody came"
            time.sleep(0.001)
        super().give_way()


@pytest.fixture
def sociable(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sociable]:
    built = Sociable()
    monkeypatch.setattr(document, "_typesetting", built)
    yield built
    built.alone.set()


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


async def until_a_long_one_is_at_work(renderers: Renderers) -> None:
    await until(lambda: not renderers._turns.has_room(is_long=True))


def is_in_line() -> bool:
    """Say whether a report waits to be set."""
    return bool(document._typesetting._line)


def page(name: str) -> RenderRequest:
    request = messages.bare()
    request.analysis.analysis_id = name
    return request


def counted(registry: CollectorRegistry, name: str) -> float:
    """Return the sum of a metric, whatever its labels."""
    found = (sample for metric in registry.collect() for sample in metric.samples)
    return sum(sample.value for sample in found if sample.name == name)


async def test_one_page_is_answered_before_the_batches_that_are_rendered_and_that_wait(
    stub: "ReportServiceAsyncStub", renderers: Renderers, sociable: Sociable
) -> None:
    order = Order(stub)
    batches = [order.ask("large batch", batch(200))]
    await until_a_long_one_is_at_work(renderers)
    for number in range(1, 4):
        batches.append(order.ask(f"batch {number}", batch(20)))
        await until_waiting(renderers, number)
    await order.ask("one page", messages.assessed())
    assert order.answered == ["one page"]
    sociable.alone.set()
    await asyncio.gather(*batches)


async def test_a_batch_is_answered_before_the_pages_that_were_asked_for_after_it(
    stub: "ReportServiceAsyncStub", renderers: Renderers, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered: list[str] = []
    render = document.render

    def noted(request: RenderRequest, *rest: Any) -> tuple[bytes, int]:
        rendered.append(request.batch.batch_id or request.analysis.analysis_id)
        return render(request, *rest)

    # Answers of different sizes may pass each other on the wire.
    monkeypatch.setattr(document, "render", noted)
    busy = [Gated(renderers, is_long=False) for _ in range(2)]
    for each in busy:
        await each.begun()
    requests = [batch(20), *(page(f"page {number}") for number in range(1, 4))]
    asked = []
    for number, request in enumerate(requests):
        asked.append(asyncio.ensure_future(stub.Render(request)))
        await until_waiting(renderers, 1 + number)
    await busy[0].end()
    assert all(answer.page_count for answer in await asyncio.gather(*asked))
    await busy[1].end()
    assert rendered == ["b-2026-01-31", "page 1", "page 2", "page 3"]


@pytest.mark.parametrize("deadlines_s", [(), (0.5, 5, PATIENCE_S / 2)], ids=["left", "in time"])
async def test_a_batch_that_nobody_waits_for_any_more_is_not_set_to_its_end(
    stub: "ReportServiceAsyncStub",
    renderers: Renderers,
    registry: CollectorRegistry,
    deadlines_s: tuple[float, ...],
) -> None:
    calls = 0
    with document._typesetting.turn():
        for deadline_s in deadlines_s or [None]:
            calls += 1
            call = stub.Render(batch(20), timeout=deadline_s)
            came = await has_come(call, is_in_line)
            if deadline_s is None:
                call.cancel()
            with pytest.raises((asyncio.CancelledError, aio.AioRpcError)):
                await call
            if came:  # a deadline that was over on the way there says nothing
                break
        assert came
        await until(lambda: counted(registry, "reports_rpcs_total") >= 1)
    await until(lambda: renderers._turns.has_room(is_long=True))
    # What was over on the way there need not have come.
    assert 1 <= counted(registry, "reports_rpcs_total") <= calls
    assert counted(registry, "reports_render_seconds_count") == 0
    assert (await stub.Render(batch(20), timeout=PATIENCE_S)).page_count
