"""Reports over a real channel: answers, statuses, health, reflection and metrics."""

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import grpc
import pytest
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from prometheus_client import CollectorRegistry

from services import rpc
from services.pb.reports_pb2 import RenderRequest
from services.reports import document
from services.reports.renderers import Renderers
from services.reports.servicer import SERVICE
from tests import specimens
from tests.reports import messages
from tests.reports.conftest import MAX_PIXELS
from tests.reports.test_renderers import PATIENCE_S, has_come, until, until_waiting

if TYPE_CHECKING:
    # The stubs know it, the generated code does not.
    from services.pb.reports_pb2_grpc import ReportServiceAsyncStub


@pytest.fixture
async def busy(renderers: Renderers) -> AsyncIterator[threading.Event]:
    """Keep the only renderer busy until the event is set."""
    gate, began = threading.Event(), threading.Event()

    def work() -> bool:
        began.set()
        return gate.wait(PATIENCE_S)

    task = asyncio.create_task(renderers.run(work, None))
    assert await asyncio.to_thread(began.wait, PATIENCE_S)
    yield gate
    gate.set()
    await task


async def refused(stub: "ReportServiceAsyncStub", request: RenderRequest) -> aio.AioRpcError:
    with pytest.raises(aio.AioRpcError) as caught:
        await stub.Render(request, timeout=PATIENCE_S)
    return caught.value


async def test_a_report_comes_back_with_its_page_count(stub: "ReportServiceAsyncStub") -> None:
    answer = await stub.Render(messages.assessed())
    assert answer.pdf == document.render(messages.assessed(), MAX_PIXELS)[0]
    assert answer.page_count == 1


async def test_many_callers_at_once_get_the_same_bytes_each(
    renderers: Renderers, stub: "ReportServiceAsyncStub"
) -> None:
    renderers._max_waiting = 100
    answers = await asyncio.gather(*(stub.Render(messages.assessed()) for _ in range(6)))
    assert len({answer.pdf for answer in answers}) == 1


async def test_a_malformed_message_names_the_field_and_the_service_goes_on(
    stub: "ReportServiceAsyncStub",
) -> None:
    request = messages.assessed()
    request.analysis.models[0].sha256 = "short"
    error = await refused(stub, request)
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "analysis.models[0].sha256" in str(error.details())
    assert (await stub.Render(messages.bare())).page_count == 1


@pytest.mark.parametrize("field", ["image", "mask_png", "explanation_png"])
@pytest.mark.parametrize("kind", ["noise", "cut off", "too large"])
async def test_a_picture_that_cannot_be_used_is_refused_by_its_field(
    stub: "ReportServiceAsyncStub", field: str, kind: str
) -> None:
    request = messages.assessed()
    whole = getattr(request.analysis, field)
    broken = {
        "noise": b"\x00" * 100,
        "cut off": whole[: len(whole) // 2],
        "too large": specimens.encoded(specimens.lesion((1200, 900)), "PNG"),
    }
    setattr(request.analysis, field, broken[kind])
    error = await refused(stub, request)
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert str(error.details()).startswith(f"analysis.{field}: ")
    assert (await stub.Render(messages.bare())).page_count == 1


async def test_a_mask_must_be_png(stub: "ReportServiceAsyncStub") -> None:
    request = messages.assessed()
    request.analysis.mask_png = specimens.lesion_jpeg()
    assert (await refused(stub, request)).details() == "analysis.mask_png: must be PNG"


async def test_a_full_waiting_room_says_when_to_come_back(
    stub: "ReportServiceAsyncStub", renderers: Renderers, busy: threading.Event
) -> None:
    waiting = stub.Render(messages.bare())
    await until_waiting(renderers, 1)
    error = await refused(stub, messages.bare())
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    trailers = {str(key): str(value) for key, value in error.trailing_metadata()}
    assert int(trailers[rpc.PUSHBACK_TRAILER]) > 0
    busy.set()
    assert (await waiting).page_count == 1


async def test_a_deadline_is_kept_and_the_report_is_not_rendered(
    stub: "ReportServiceAsyncStub",
    renderers: Renderers,
    busy: threading.Event,
    registry: CollectorRegistry,
) -> None:
    for deadline_s in (0.1, 2, PATIENCE_S / 2):
        call = stub.Render(messages.bare(), timeout=deadline_s)
        came = await has_come(call, lambda: renderers.waiting == 1)
        with pytest.raises(aio.AioRpcError) as caught:
            await call
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        if came:  # a deadline that was over on the way there says nothing
            break
    assert came
    await until_waiting(renderers, 0)
    busy.set()
    await stub.Render(messages.bare())
    assert registry.get_sample_value("reports_render_seconds_count") == 1


async def test_a_caller_who_left_is_not_rendered(
    stub: "ReportServiceAsyncStub",
    renderers: Renderers,
    busy: threading.Event,
    registry: CollectorRegistry,
) -> None:
    call = stub.Render(messages.bare())
    await until_waiting(renderers, 1)
    assert registry.get_sample_value("reports_waiting") == 1
    call.cancel()
    await until_waiting(renderers, 0)
    busy.set()
    await stub.Render(messages.bare())
    assert registry.get_sample_value("reports_render_seconds_count") == 1


async def test_reports_pages_and_calls_are_counted(
    stub: "ReportServiceAsyncStub", registry: CollectorRegistry
) -> None:
    await stub.Render(messages.bare())
    await refused(stub, RenderRequest())
    assert registry.get_sample_value("reports_pages_total") == 1
    # The server counts what it refused after it has said so.
    await until(lambda: called(registry, "INVALID_ARGUMENT") is not None)
    assert called(registry, "INVALID_ARGUMENT") == called(registry, "OK") == 1


def called(registry: CollectorRegistry, code: str) -> float | None:
    return registry.get_sample_value("reports_rpcs_total", {"method": "Render", "code": code})


async def test_health_says_serving(channel: aio.Channel) -> None:
    health = health_pb2_grpc.HealthStub(channel)
    for service in ("", SERVICE):
        answer = await health.Check(health_pb2.HealthCheckRequest(service=service))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_reflection_lists_the_service(channel: aio.Channel) -> None:
    reflected = reflection_pb2_grpc.ServerReflectionStub(channel)
    ask = reflection_pb2.ServerReflectionRequest(list_services="")
    async for answer in reflected.ServerReflectionInfo(iter([ask])):
        listed = {service.name for service in answer.list_services_response.service}
    assert listed >= {SERVICE, "grpc.health.v1.Health"}
