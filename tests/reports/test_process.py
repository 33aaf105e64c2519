"""The service as operators run it: a process, its environment, its signals, its exit codes."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from services import rpc
from services.pb import reports_pb2_grpc
from services.reports.__main__ import main
from services.reports.settings import Settings
from tests.gateway.leaks import Watch
from tests.ports import free_port
from tests.reports import messages

BOOT_S = 180
CALLS = 20
ONE_SENTENCE = 1


def environment(**variables: object) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DERMSERVE")}
    ours = {f"DERMSERVE_{name}": str(value) for name, value in variables.items()}
    return {**clean, **ours}


@contextmanager
def process(**variables: object) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "services.reports"]
    with subprocess.Popen(
        command, env=environment(**variables), stderr=subprocess.PIPE, text=True
    ) as running:
        try:
            yield running
        finally:
            running.kill()


def refusal(**variables: object) -> str:
    """Start a process that must refuse to serve, and return what it says."""
    with process(**variables) as refused:
        _, said = refused.communicate(timeout=BOOT_S)
    assert refused.returncode == 2
    assert "Traceback" not in said
    assert len(said.splitlines()) == ONE_SENTENCE
    return said


async def ready(channel: aio.Channel) -> None:
    health = health_pb2_grpc.HealthStub(channel)
    request = health_pb2.HealthCheckRequest(service="")
    answer = await health.Check(request, wait_for_ready=True, timeout=BOOT_S)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_a_told_process_finishes_its_calls_and_exits_in_peace() -> None:
    port, metrics_port = free_port(), free_port()
    ports = {"REPORTS_PORT": port, "REPORTS_METRICS_PORT": metrics_port}
    one_by_one = {"REPORTS_MAX_CONCURRENT_RENDERS": 1, "REPORTS_DRAIN_S": BOOT_S}
    with process(**one_by_one, **ports) as running:
        async with rpc.dial(f"127.0.0.1:{port}") as channel:
            await ready(channel)
            stub = reports_pb2_grpc.ReportServiceStub(channel)
            assert (await stub.Render(messages.bare())).page_count == 1
            scraped = await asyncio.to_thread(scrape, metrics_port)
            assert "reports_render_seconds_count 1.0" in scraped
            assert "process_resident_memory_bytes" in scraped
            await stub.Render(messages.filed())

            calls = [stub.Render(messages.assessed()) for _ in range(CALLS)]
            await asyncio.to_thread(until_accepted, 2 + CALLS, metrics_port)
            running.send_signal(signal.SIGTERM)
            answers = await asyncio.gather(*calls)
        assert [answer.page_count for answer in answers] == [1] * CALLS
        _, log = running.communicate(timeout=BOOT_S)
    assert running.returncode == 0
    assert all(line.startswith("{") for line in log.splitlines())
    assert list(told(log)) == []
    assert list(told(f"{log} Zoë Lindqvist")) == ["Zoë Lindqvist"]


def told(log: str) -> Iterator[str]:
    """Give what a log has of the people in the messages of these tests."""
    report = messages.filed().analysis
    watch = Watch(written=log.splitlines())
    watch.plant(report.patient.id, report.patient.name, report.patient.birth_date, report.note)
    watch.plant(report.assessment.clinician, report.assessment.reason, report.narrative.text)
    return (secret for secret, _ in watch.leaks())


def scrape(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=BOOT_S) as page:
        text: str = page.read().decode()
        return text


def until_accepted(calls: int, metrics_port: int) -> None:
    """Return when all calls have reached the room: calls still in the socket are turned away."""
    until = time.monotonic() + BOOT_S
    while accepted(metrics_port) < calls:
        assert time.monotonic() < until
        time.sleep(0.02)


def accepted(metrics_port: int) -> float:
    """Return how many calls were answered, wait or are in work; never too many.

    The answered ones are looked up first: whoever is answered meanwhile is not counted twice.
    """
    answered = figure(metrics_port, 'reports_rpcs_total{code="OK",method="Render"}')
    return answered + figure(metrics_port, "reports_held_bytes") / messages.assessed().ByteSize()


def figure(port: int, name: str) -> float:
    figures = dict(line.rsplit(" ", 1) for line in scrape(port).splitlines())
    return float(figures.get(name, 0))


def test_a_misspelt_setting_is_named_with_the_right_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DERMSERVE_REPORTS_PROT", "1")
    assert main() == 2
    assert capsys.readouterr().err == (
        "reports cannot start: DERMSERVE_REPORTS_PROT is not a setting; "
        "did you mean DERMSERVE_REPORTS_PORT?\n"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [("REPORTS_PORT", "70000"), ("REPORTS_MAX_CONCURRENT_RENDERS", "0"), ("LOG_LEVEL", "loud")],
)
def test_a_setting_out_of_range_is_named(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(f"DERMSERVE_{name}", value)
    assert main() == 2
    said = capsys.readouterr().err
    assert said.startswith(f"reports cannot start: DERMSERVE_{name}: ")
    assert said.count("\n") == ONE_SENTENCE


@pytest.mark.parametrize("name", ["REPORTS_PORT", "REPORTS_METRICS_PORT"])
def test_a_taken_port_is_named(name: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        other = {"REPORTS_PORT", "REPORTS_METRICS_PORT"} - {name}
        said = refusal(**{name: port, other.pop(): free_port()})
    assert f"127.0.0.1:{port}" in said


def test_every_setting_is_described_and_frozen() -> None:
    assert all(field.description for field in Settings.model_fields.values())
    assert Settings.model_config["frozen"]
