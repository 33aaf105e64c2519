"""What Prometheus reads of the three processes after traffic of every kind."""

import asyncio
import re
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass

import grpc
import httpx
import pytest
from grpc import aio
from prometheus_client.parser import text_string_to_metric_families

from deploy import metrics_table
from services import rpc
from services.pb import inference_pb2 as pb
from services.pb import inference_pb2_grpc
from tests import specimens, stack, tiny_models, watched
from tests.stack import Stack

OF_THE_PROCESS = ("process_", "python_")
MOST_SERIES = 1000
"""Of one replica: a Prometheus server holds millions."""

REQUESTS, REFUSED_CALLS = 10, 2
"""Of one round of traffic: what comes to the gateway beside ``OPERATIONAL`` (a method that nobody
knows does not), and the pictures that inference refuses."""

OPERATIONAL = {"/livez", "/metrics", "/readyz"}

SERIES = frozenset[tuple[str, frozenset[tuple[str, str]]]]


@dataclass(frozen=True)
class Scraped:
    """The pages of the three services, after one round of traffic and after another."""

    first: Mapping[str, str]
    second: Mapping[str, str]
    told: frozenset[str]
    """Words that callers sent or were given, none of which may come back."""


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scraped]:
    models = tiny_models.write_models(tmp_path_factory.mktemp("models"))
    folder = {"DERMSERVE_INFERENCE_MODEL_DIR": str(models)}
    with watched.running(**stack.UNHURRIED, **folder) as running:
        told = traffic(running)
        first = pages(running, rounds=1)
        told |= traffic(running)
        yield Scraped(first, pages(running, rounds=2), frozenset(told))


def traffic(running: Stack) -> set[str]:
    """Ask for everything, well and badly, as callers who were never seen before."""
    words = {f"told-{uuid.uuid4().hex}" for _ in range(6)}
    user, patient, request_id, path, method, stream_id = words
    with httpx.Client(base_url=running.rest, timeout=60, trust_env=False) as client:
        token = stack.signed_in(client, user)
        client.headers["Authorization"] = f"Bearer {token}"
        client.headers["X-Request-Id"] = request_id
        made = client.post(
            "/v1/analyses",
            files={"image": (f"{path}.jpg", specimens.lesion_jpeg())},
            data={"patient_id": patient, "patient_name": patient},
        ).raise_for_status()
        analysis = made.json()["id"]
        client.get(f"/v1/analyses/{analysis}/report.pdf").raise_for_status()
        client.get("/v1/analyses", params={"patient_id": patient}).raise_for_status()
        for verb, where in (
            ("GET", f"/v1/analyses/{uuid.uuid4()}"),
            ("GET", f"/{path}"),
            ("GET", "/metrics"),
            (method.upper()[:12], "/v1/analyses"),
            ("DELETE", f"/v1/analyses/{analysis}"),
            ("GET", f"/v1/analyses/{analysis}"),
        ):
            client.request(verb, where)
        client.post("/v1/analyses", files={"image": path.encode()})
        client.get("/v1/me", headers={"Authorization": f"Bearer {path}"})
    asyncio.run(calls(running.inference, request_id, method, stream_id))
    return words | {token, analysis}


async def calls(address: str, request_id: str, method: str, stream_id: str) -> None:
    async def pictures() -> AsyncIterator[pb.AnalyzeStreamRequest]:
        for picture in (specimens.lesion_jpeg(), b"none"):
            request = pb.AnalyzeRequest(image=picture)
            yield pb.AnalyzeStreamRequest(id=stream_id, request=request)

    async with rpc.dial(address) as channel:
        stub = inference_pb2_grpc.InferenceServiceStub(channel)
        await stub.Analyze(pb.AnalyzeRequest(image=specimens.lesion_jpeg()), timeout=120)
        for metadata in ((), (("x-request-id", request_id),)):
            with pytest.raises(aio.AioRpcError):
                await stub.Analyze(pb.AnalyzeRequest(image=b"none"), metadata=metadata, timeout=120)
        assert len([each async for each in stub.AnalyzeStream(pictures(), timeout=120)]) == 2
        unknown: aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(
            f"/dermserve.inference.v1.InferenceService/{method}"
        )
        with pytest.raises(aio.AioRpcError) as refused:
            await unknown(b"", timeout=120)
        assert refused.value.code() == grpc.StatusCode.UNIMPLEMENTED


def pages(running: Stack, rounds: int) -> dict[str, str]:
    """Scrape the services as Prometheus does, once so many rounds of traffic are counted.

    That is after they were answered.
    """
    until = time.monotonic() + 120
    while True:
        found = scrape(running)
        counted = (
            total(found["gateway"], "gateway_requests_total", "route", OPERATIONAL),
            total(found["inference"], "inference_rpcs_total", "code", {"OK", "UNIMPLEMENTED"}),
        )
        if counted == (rounds * REQUESTS, rounds * REFUSED_CALLS):
            return found
        assert time.monotonic() < until, counted
        time.sleep(0.1)


def total(page: str, name: str, label: str, but: set[str]) -> int:
    """Add a counter up, without what has one of some values of a label."""
    found = sum(
        sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name == name and sample.labels[label] not in but
    )
    return int(found)


def scrape(running: Stack) -> dict[str, str]:
    ports = {
        room: running.environment[f"DERMSERVE_{room.upper()}_METRICS_PORT"]
        for room in ("inference", "reports")
    }
    addresses = {room: f"http://127.0.0.1:{port}" for room, port in ports.items()}
    addresses["gateway"] = running.rest
    return {
        room: httpx.get(f"{address}/metrics", trust_env=False, timeout=60).raise_for_status().text
        for room, address in addresses.items()
    }


def series(page: str) -> SERIES:
    return frozenset(
        (sample.name, frozenset(sample.labels.items()))
        for family in text_string_to_metric_families(page)
        if not family.name.startswith(OF_THE_PROCESS)
        for sample in family.samples
    )


def test_the_page_of_metrics_has_all_that_is_shown_and_nothing_else(scraped: Scraped) -> None:
    shown = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for page in scraped.second.values()
        for family in text_string_to_metric_families(page)
        if not family.name.startswith(OF_THE_PROCESS)
    }
    named = re.findall(
        r"^\| `(\w+)` ", metrics_table.PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert sorted(named) == sorted(shown)


@pytest.mark.parametrize("room", ["gateway", "inference", "reports"])
def test_other_callers_pictures_and_paths_add_no_series(scraped: Scraped, room: str) -> None:
    first, second = series(scraped.first[room]), series(scraped.second[room])
    assert second == first
    assert len(second) < MOST_SERIES


@pytest.mark.parametrize("room", ["gateway", "inference", "reports"])
def test_nothing_that_callers_said_or_were_given_is_shown(scraped: Scraped, room: str) -> None:
    page = scraped.second[room].lower()
    assert [word for word in scraped.told if word.lower() in page] == []


def test_every_stage_of_a_picture_was_timed(scraped: Scraped) -> None:
    counts = {
        name: sum(
            sample.value
            for family in text_string_to_metric_families(scraped.second["inference"])
            for sample in family.samples
            if sample.name == f"inference_{name}_seconds_count"
        )
        for name in ("decode", "queue", "run", "postprocess", "analysis")
    }
    assert all(counts.values()), counts
