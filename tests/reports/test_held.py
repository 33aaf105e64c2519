"""What the messages of reports may hold together, asked at the real door with real messages."""

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

import grpc
import pytest
from grpc import aio
from prometheus_client import CollectorRegistry
from pydantic import ValidationError

from services import rpc
from services.pb.reports_pb2 import RenderRequest
from services.reports.held import Held
from services.reports.renderers import Renderers
from services.reports.settings import Settings
from services.rpc.limits import MAX_MESSAGE_BYTES
from tests.reports import messages
from tests.reports.test_renderers import PATIENCE_S, Gated, until_waiting

if TYPE_CHECKING:
    # The stubs know it, the generated code does not.
    from services.pb.reports_pb2_grpc import ReportServiceAsyncStub

_MIB = 1024 * 1024


_LEAST = 2 * MAX_MESSAGE_BYTES
"""What the settings have at least for messages."""


@pytest.fixture
def renderers(request: pytest.FixtureRequest) -> Iterator[Renderers]:
    """One renderer, much room to wait, and eight MiB for messages, of which none is larger."""
    bound: int = getattr(request, "param", 8 * _MIB)
    built = Renderers(max_concurrent=1, max_waiting=100, max_held_bytes=bound)
    yield built
    built.close()


def page(size: int) -> RenderRequest:
    """Return a message of a page whose picture is followed by bytes that no decoder reads."""
    request = messages.bare()
    request.analysis.image += bytes(size)
    return request


def batch(size: int) -> RenderRequest:
    """Return a message of a long report."""
    request = messages.batch(12)
    request.batch.rows[0].analysis.image += bytes(size)
    return request


async def refused(stub: "ReportServiceAsyncStub", request: RenderRequest) -> aio.AioRpcError:
    with pytest.raises(aio.AioRpcError) as caught:
        await stub.Render(request, timeout=PATIENCE_S)
    return caught.value


async def test_what_messages_may_hold_is_a_bound_on_those_that_wait(
    stub: "ReportServiceAsyncStub", renderers: Renderers, registry: CollectorRegistry
) -> None:
    busy = Gated(renderers, is_long=False)
    await busy.begun()
    waiting = [asyncio.ensure_future(stub.Render(page(3 * _MIB))) for _ in range(2)]
    await until_waiting(renderers, 2)
    assert registry.get_sample_value("reports_held_bytes") == renderers.held_bytes > 6 * _MIB
    error = await refused(stub, page(3 * _MIB))
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    trailers = {str(key): str(value) for key, value in error.trailing_metadata()}
    assert int(trailers[rpc.PUSHBACK_TRAILER]) > 0
    waiting.append(asyncio.ensure_future(stub.Render(page(0))))
    await until_waiting(renderers, 3)
    await busy.end()
    assert all(answer.page_count == 1 for answer in await asyncio.gather(*waiting))
    assert renderers.held_bytes == 0


async def test_what_is_in_work_counts_until_it_is_done(
    stub: "ReportServiceAsyncStub", renderers: Renderers
) -> None:
    busy = Gated(renderers, is_long=False, size=7 * _MIB)
    await busy.begun()
    assert (await refused(stub, page(2 * _MIB))).code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    await busy.end()
    assert (await stub.Render(page(2 * _MIB))).page_count == 1


async def test_who_leaves_while_waiting_holds_nothing_any_more(
    stub: "ReportServiceAsyncStub", renderers: Renderers
) -> None:
    busy = Gated(renderers, is_long=False)
    await busy.begun()
    call = stub.Render(page(7 * _MIB))
    await until_waiting(renderers, 1)
    call.cancel()
    await until_waiting(renderers, 0)
    following = asyncio.ensure_future(stub.Render(page(7 * _MIB)))
    await until_waiting(renderers, 1)
    await busy.end()
    assert (await following).page_count == 1


@pytest.mark.parametrize("renderers", [_LEAST], indirect=True)
async def test_the_largest_message_of_all_is_taken_by_a_service_that_has_nothing_to_do(
    stub: "ReportServiceAsyncStub",
) -> None:
    largest = messages.batch(3)
    left = MAX_MESSAGE_BYTES - largest.ByteSize() - 100
    for row in largest.batch.rows:
        row.analysis.image += bytes(left // 3)
    assert MAX_MESSAGE_BYTES >= largest.ByteSize() > MAX_MESSAGE_BYTES - _MIB
    assert (await stub.Render(largest)).page_count


async def test_long_reports_leave_half_of_the_memory_to_others(
    stub: "ReportServiceAsyncStub", renderers: Renderers
) -> None:
    busy = Gated(renderers, is_long=False)
    await busy.begun()
    waiting = [asyncio.ensure_future(stub.Render(batch(2 * _MIB)))]
    await until_waiting(renderers, 1)
    error = await refused(stub, batch(2 * _MIB))
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    waiting.append(asyncio.ensure_future(stub.Render(page(2 * _MIB))))
    await until_waiting(renderers, 2)
    await busy.end()
    await asyncio.gather(*waiting)


def test_the_least_bound_that_can_be_set_holds_the_largest_long_message_in_half_of_it() -> None:
    least = _LEAST // _MIB
    held = Held(Settings(max_held_mib=least).max_held_mib * _MIB)
    assert held.has_room(MAX_MESSAGE_BYTES, is_long=True)
    held.take(MAX_MESSAGE_BYTES, is_long=True)
    assert held.has_room(MAX_MESSAGE_BYTES, is_long=False)
    with pytest.raises(ValidationError):
        Settings(max_held_mib=least - 1)


@pytest.mark.parametrize(("size", "is_long"), [(9, False), (5, True)])
def test_no_message_goes_beyond_the_bound_though_nothing_else_is_held(
    size: int,
    is_long: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    assert Held(8).has_room(size - 1, is_long=is_long)
    assert not Held(8).has_room(size, is_long=is_long)
