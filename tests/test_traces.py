"""Traces: when they are sent, of which requests, and what log lines say of them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextvars import copy_context

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import DEFAULT_TIMEOUT

from services import telemetry
from services.telemetry import traces
from services.telemetry.traces import Span, Traces
from tests.collector import Collector, collecting
from tests.ports import free_port

SAMPLED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NOT_SAMPLED = SAMPLED[:-1] + "0"
TRACE_ID = SAMPLED[3:35]


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with collecting() as listening:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", listening.address)
        yield listening


def request(traces: Traces, traceparent: str | None = None) -> Span:
    return traces.request("GET", traceparent, {})


def test_without_a_collector_there_are_no_traces_and_their_library_is_not_even_loaded() -> None:
    asked = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    script = (
        "import sys\n"
        "from services import telemetry\n"
        "from services.inference import server\n"
        "from services.reports import server\n"
        "with telemetry.tracing('inference') as opened:\n"
        "    assert opened is None\n"
        "assert not [name for name in sys.modules if name.startswith('opentelemetry')]\n"
    )
    subprocess.run([sys.executable, "-c", script], env=asked, check=True, timeout=250)


@pytest.mark.parametrize(
    ("variable", "value"), [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none")]
)
def test_the_environment_can_switch_traces_off_again(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    del collector
    monkeypatch.setenv(variable, value)
    with telemetry.tracing("reports") as opened:
        assert opened is None


def test_a_service_goes_without_traces_where_the_extra_is_missing_and_says_so(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    del collector
    telemetry.configure_logging("reports")
    monkeypatch.delitem(sys.modules, "services.telemetry.traces")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with telemetry.tracing("reports") as opened:
        assert opened is None
    assert "the extra named traces is not installed" in capsys.readouterr().err


def test_a_service_goes_without_traces_where_another_protocol_is_asked_for_and_says_so(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    del collector
    telemetry.configure_logging("reports")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    with telemetry.tracing("reports") as opened:
        assert opened is None
    assert "set OTEL_EXPORTER_OTLP_PROTOCOL to http/protobuf" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({}, "dermserve-reports"),
        ({"OTEL_SERVICE_NAME": "derm-a"}, "derm-a"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "service.name=derm-b"}, "derm-b"),
    ],
)
def test_a_process_is_called_what_the_environment_calls_it(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], name: str
) -> None:
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    with telemetry.tracing("reports") as opened:
        assert opened is not None
        request(opened).end()
    (seen,) = collector.spans
    assert seen.service == name


def test_the_share_of_requests_that_the_environment_names_is_recorded(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.25")
    with telemetry.tracing("gateway") as opened:
        assert opened is not None
        for _ in range(400):
            request(opened).end()
    # Six standard deviations around a hundred: not once in a hundred million runs.
    assert 48 <= len(collector.spans) <= 152


@pytest.mark.parametrize(("traceparent", "recorded"), [(SAMPLED, True), (NOT_SAMPLED, False)])
def test_a_caller_that_has_decided_is_followed(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, traceparent: str, *, recorded: bool
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0" if recorded else "1")
    with telemetry.tracing("inference") as opened:
        assert opened is not None
        span = request(opened, traceparent)
        call = span.call("/a/B", {})
        assert (span.recorded, call.recorded) == (recorded, recorded)
        assert call.traceparent.startswith(f"00-{TRACE_ID}-")
        assert call.traceparent.endswith("-01" if recorded else "-00")
        call.end()
        span.end()
    assert {seen.trace_id for seen in collector.spans} == ({TRACE_ID} if recorded else set())


@pytest.mark.parametrize("traceparent", ["", "nonsense", "00-0-0-01", "ff" + SAMPLED[2:]])
def test_a_header_that_makes_no_sense_begins_a_trace_of_its_own(
    collector: Collector, traceparent: str
) -> None:
    with telemetry.tracing("gateway") as opened:
        assert opened is not None
        request(opened, traceparent).end()
    (seen,) = collector.spans
    assert seen.trace_id != TRACE_ID
    assert not seen.span.parent_span_id


@pytest.mark.parametrize(("traceparent", "stands"), [(SAMPLED, TRACE_ID), (NOT_SAMPLED, None)])
def test_a_log_line_names_the_trace_that_it_belongs_to_if_that_can_be_looked_up(
    collector: Collector,
    capsys: pytest.CaptureFixture[str],
    traceparent: str,
    stands: str | None,
) -> None:
    del collector
    telemetry.configure_logging("reports")
    with telemetry.tracing("reports") as opened:
        assert opened is not None
        span = request(opened, traceparent)

        def render() -> None:
            telemetry.enter_span(span)
            telemetry.logger("services.reports").info("rendered")

        # In a context of its own: what later tests call is no part of this trace.
        copy_context().run(render)
        span.end()
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    (line,) = [line for line in lines if line["event"] == "rendered"]
    assert line.get("trace_id") == stands


def test_a_collector_that_is_down_holds_nobody_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    assert traces._PATIENCE_S < DEFAULT_TIMEOUT / 2
    # By itself the library would send nothing before the end, and then try for half a minute.
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "3600000")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "3600")
    with telemetry.tracing("reports") as opened:
        assert opened is not None
        request(opened).end()
        assert not caplog.records
    # What the library says of its own end is that we had given up before it.
    assert "Exporter already shutdown, ignoring call" in caplog.messages
