"""One trace from the door to the models and back, as a collector sees it."""

import asyncio
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import grpc
import httpx
import pytest
from grpc import aio

from services import rpc
from services.pb import inference_pb2 as pb
from services.pb import inference_pb2_grpc
from tests import specimens, stack, tiny_models, watched
from tests.collector import Seen, collecting
from tests.stack import Stack

SERVER, CLIENT, INTERNAL = 2, 3, 1
ERROR = 2

ANALYZE = "dermserve.inference.v1.InferenceService/Analyze"
RENDER = "dermserve.reports.v1.ReportService/Render"
REPORT = "GET /v1/analyses/{analysis_id}/report.pdf"


@dataclass(frozen=True)
class Traced:
    """What the collector got, and what was asked."""

    spans: Sequence[Seen]
    analysis: str
    report: str
    refused: str
    told: frozenset[str]

    def of(self, trace_id: str) -> list[Seen]:
        return [seen for seen in self.spans if seen.trace_id == trace_id]


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    models = tiny_models.write_models(tmp_path_factory.mktemp("models"))
    with collecting() as collector:
        with watched.running(
            **stack.UNHURRIED,
            DERMSERVE_INFERENCE_MODEL_DIR=str(models),
            OTEL_EXPORTER_OTLP_ENDPOINT=collector.address,
            OTEL_BSP_SCHEDULE_DELAY="200",
        ) as running:
            asked = ask(running)
            # What is left when they end, they try to send for two seconds only.
            for service, trace_id, name in last_of(*asked[:3]):
                collector.wait_for(f"dermserve-{service}", trace_id, name)
        yield Traced(collector.spans, *asked)


def last_of(analysis: str, report: str, refused: str) -> list[tuple[str, str, str]]:
    """Return what ends last in each process in some traces: process, trace and name."""
    return [
        ("inference", analysis, ANALYZE),
        ("gateway", analysis, "POST /v1/analyses"),
        ("reports", report, RENDER),
        ("gateway", report, REPORT),
        ("inference", refused, ANALYZE),
    ]


def ask(running: Stack) -> tuple[str, str, str, frozenset[str]]:
    """Have a picture analyzed and reported, and another refused; return the three traces."""
    words = frozenset(f"told-{uuid.uuid4().hex}" for _ in range(5))
    user, patient, request_id, file, state = words
    ids = [uuid.uuid4().hex for _ in range(3)]
    with httpx.Client(base_url=running.rest, timeout=60, trust_env=False) as client:
        token = stack.signed_in(client, user)
        client.headers["Authorization"] = f"Bearer {token}"
        client.headers["X-Request-Id"] = request_id
        client.headers["tracestate"] = f"vendor={state}"
        client.headers["baggage"] = f"patient={patient}"
        made = client.post(
            "/v1/analyses",
            files={"image": (file, specimens.lesion_jpeg())},
            data={"patient_id": patient, "patient_name": patient},
            headers={"traceparent": sampled(ids[0])},
        ).raise_for_status()
        analysis = made.json()["id"]
        client.get(
            f"/v1/analyses/{analysis}/report.pdf", headers={"traceparent": sampled(ids[1])}
        ).raise_for_status()
        client.get("/v1/analyses", params={"patient_id": patient}).raise_for_status()
        client.get("/livez").raise_for_status()
    asyncio.run(refusal(running.inference, sampled(ids[2])))
    return ids[0], ids[1], ids[2], words | {token, analysis}


async def refusal(address: str, traceparent: str) -> None:
    async with rpc.dial(address) as channel:
        stub = inference_pb2_grpc.InferenceServiceStub(channel)
        metadata = ((rpc.TRACEPARENT, traceparent),)
        with pytest.raises(aio.AioRpcError) as refused:
            await stub.Analyze(pb.AnalyzeRequest(image=b"none"), metadata=metadata, timeout=120)
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def sampled(trace_id: str) -> str:
    return f"00-{trace_id}-{uuid.uuid4().hex[:16]}-01"


def one(spans: Sequence[Seen], name: str, kind: int, service: str) -> Seen:
    (found,) = [
        seen
        for seen in spans
        if (seen.span.name, seen.span.kind, seen.service) == (name, kind, service)
    ]
    return found


def test_one_picture_is_one_trace_from_the_door_to_the_models(traced: Traced) -> None:
    spans = traced.of(traced.analysis)
    door = one(spans, "POST /v1/analyses", SERVER, "dermserve-gateway")
    asked = one(spans, ANALYZE, CLIENT, "dermserve-gateway")
    answered = one(spans, ANALYZE, SERVER, "dermserve-inference")
    assert asked.under(door)
    assert answered.under(asked)
    steps = [seen for seen in spans if seen.under(answered)]
    assert len(steps) == len(spans) - 3
    assert sorted((step.span.name, step.attributes["dermserve.stage"]) for step in steps) == sorted(
        (name, stage)
        for stage, work in (
            ("decode", "decode"),
            ("segmenter", "run"),
            ("classifier", "run"),
            ("conclude", "postprocess"),
        )
        for name in ("queue", work)
    )


def test_steps_follow_each_other_within_their_call(traced: Traced) -> None:
    spans = traced.of(traced.analysis)
    answered = one(spans, ANALYZE, SERVER, "dermserve-inference").span
    ends = {"queue": 0}
    for seen in (seen for seen in spans if seen.span.kind == INTERNAL):
        step = seen.span
        assert step.start_time_unix_nano <= step.end_time_unix_nano
        # The call and its steps are timed by two clocks, read at slightly different moments.
        assert answered.start_time_unix_nano - 2e6 <= step.start_time_unix_nano
        assert step.end_time_unix_nano <= answered.end_time_unix_nano + 2e6
        ends[step.name] = max(ends.get(step.name, 0), step.end_time_unix_nano)
    assert ends["decode"] < ends["run"] < ends["postprocess"]


def test_a_run_says_which_version_ran_where_and_with_how_many(traced: Traced) -> None:
    runs = [seen for seen in traced.of(traced.analysis) if seen.span.name == "run"]
    assert len(runs) == 2
    for run in runs:
        assert run.attributes["dermserve.model_version"] == "1"
        assert str(run.attributes["dermserve.execution_provider"]).endswith("ExecutionProvider")
        assert run.attributes["dermserve.batch_size"] == 1
        assert run.attributes["dermserve.batch_rows"] == 1


def test_a_report_is_part_of_the_trace_of_whoever_asked_for_it(traced: Traced) -> None:
    spans = traced.of(traced.report)
    answered = one(spans, RENDER, SERVER, "dermserve-reports")
    assert answered.under(one(spans, RENDER, CLIENT, "dermserve-gateway"))
    assert {seen.span.name for seen in spans if seen.under(answered)} == {"queue", "render"}
    door = one(spans, REPORT, SERVER, "dermserve-gateway")
    assert door.attributes["http.response.status_code"] == 200


def test_an_error_is_told_by_its_status_alone(traced: Traced) -> None:
    spans = traced.of(traced.refused)
    answered = one(spans, ANALYZE, SERVER, "dermserve-inference")
    number: int = grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert answered.attributes["rpc.grpc.status_code"] == number
    assert answered.span.status.code != ERROR  # the caller's mistake is not the server's
    assert not any(seen.span.events or seen.span.status.message for seen in traced.spans)


def test_health_checks_and_scrapes_are_not_traced(traced: Traced) -> None:
    routes = {seen.attributes.get("http.route") for seen in traced.spans}
    assert not routes & {"/livez", "/readyz", "/metrics"}
    assert "/v1/analyses" in routes


def test_nothing_that_a_caller_said_or_was_given_is_sent(traced: Traced) -> None:
    messages = {id(seen.message): seen.message for seen in traced.spans}
    sent = b"".join(message.SerializeToString() for message in messages.values())
    assert len(sent) > 1000
    assert [word for word in traced.told if word.encode() in sent] == []


def test_attributes_are_few_and_known(traced: Traced) -> None:
    assert {name for seen in traced.spans for name in seen.attributes} <= {
        "dermserve.batch_rows",
        "dermserve.batch_size",
        "dermserve.execution_provider",
        "dermserve.model_version",
        "dermserve.stage",
        "http.request.method",
        "http.response.status_code",
        "http.route",
        "rpc.grpc.status_code",
        "rpc.method",
        "rpc.service",
        "rpc.system",
    }
