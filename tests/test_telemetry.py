"""Log lines, request ids and the metrics listener."""

import asyncio
import json
import logging
import socket
import urllib.request
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter

from services import telemetry
from tests.ports import free_port

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    return lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_is_one_json_object_with_service_time_level_and_fields(
    lines: Lines,
) -> None:
    telemetry.configure_logging("reports")
    telemetry.logger("services.reports.server").info("served", port=8600)
    (line,) = lines()
    assert line["event"] == "served"
    assert line["port"] == 8600
    assert line["service"] == "reports"
    assert line["level"] == "info"
    assert line["logger"] == "services.reports.server"
    assert line["timestamp"].endswith("Z")


def test_lines_of_libraries_look_the_same(lines: Lines) -> None:
    telemetry.configure_logging("reports")
    logging.getLogger("some.library").warning("it took %d s", 3)
    (line,) = lines()
    assert (line["event"], line["service"], line["level"]) == ("it took 3 s", "reports", "warning")


def test_warnings_look_the_same(lines: Lines) -> None:
    telemetry.configure_logging("reports")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=False)
        logging.captureWarnings(capture=True)
        warnings.warn("corrupt EXIF", UserWarning, stacklevel=1)
    (line,) = lines()
    assert (line["logger"], line["level"]) == ("py.warnings", "warning")
    assert "corrupt EXIF" in line["event"]


def test_lines_below_the_level_are_not_written(lines: Lines) -> None:
    telemetry.configure_logging("reports", "WARNING")
    telemetry.logger("a").info("served")
    assert lines() == []


def test_details_are_ours_to_tell_and_never_a_librarys(lines: Lines) -> None:
    telemetry.configure_logging("reports", "DEBUG")
    telemetry.logger("services.reports.server").debug("drew a page")
    logging.getLogger("sqlalchemy").debug("executing with ('Jane Doe',)")
    assert [line["event"] for line in lines()] == ["drew a page"]


def test_an_error_brings_its_trace_in_the_same_line(lines: Lines) -> None:
    telemetry.configure_logging("reports")
    telemetry.logger("a").error("call failed", exc_info=ZeroDivisionError("by zero"))
    (line,) = lines()
    assert "ZeroDivisionError: by zero" in line["exception"]


def test_the_request_id_stands_in_every_line_of_its_request(lines: Lines) -> None:
    telemetry.configure_logging("reports")
    telemetry.enter_request("abc-1")
    telemetry.logger("a").info("one")
    logging.getLogger("b").info("two")
    assert [line["request_id"] for line in lines()] == ["abc-1", "abc-1"]


async def test_requests_that_run_together_keep_their_own_ids() -> None:
    async def request(name: str) -> str | None:
        telemetry.enter_request(name)
        await asyncio.sleep(0.01)
        return telemetry.current_request_id()

    assert list(await asyncio.gather(request("a"), request("b"))) == ["a", "b"]
    assert telemetry.current_request_id() is None


@pytest.mark.parametrize("received", ["a", "0c3f-5a52", "x.y_z:1", "a" * 64])
def test_a_harmless_id_is_kept(received: str) -> None:
    assert telemetry.enter_request(received) == received
    assert telemetry.current_request_id() == received


@pytest.mark.parametrize("received", [None, "", "a" * 65, "two words", "line\nbreak", "ä", '"}'])
def test_any_other_id_is_replaced(received: str | None) -> None:
    made = telemetry.enter_request(received)
    assert made != received
    assert made.isalnum()


def test_metrics_are_scraped_from_a_port_of_their_own() -> None:
    registry = CollectorRegistry()
    Counter("reports_pages_total", "Pages.", registry=registry).inc()
    port = free_port()
    close = telemetry.serve_metrics("127.0.0.1", port, registry)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as page:
        assert b"reports_pages_total 1.0" in page.read()
    close()
    telemetry.serve_metrics("127.0.0.1", port, registry)()


def test_a_taken_metrics_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(telemetry.ListenerError, match=f"for metrics on 127.0.0.1:{port}: "):
            telemetry.serve_metrics("127.0.0.1", port, CollectorRegistry())
