"""The command that finds known faults of libraries, asked with the lock file of this checkout.

OSV is a small server here that answers as OSV does (https://google.github.io/osv.dev/api/); uv and
all else are real.
"""

import json
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from deploy import advisories
from tests.ports import free_port

LOCKED = {
    package["name"]: package["version"]
    for package in tomllib.loads((advisories.CHECKOUT / "uv.lock").read_text("utf-8"))["package"]
}


class Osv(ThreadingHTTPServer):
    """Answers as OSV, of the advisories that it was given."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.advisories: dict[str, dict[str, Any]] = {}
        self.of: dict[str, list[str]] = {}
        self.asked: dict[str, str] = {}
        self.broken = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/"

    def knows(
        self, library: str, name: str, *, days: float, severity: str | None, also: str | None = None
    ) -> None:
        """Take up an advisory that was published so many days ago, under one name or two."""
        moment = (datetime.now(UTC) - timedelta(days=days)).isoformat().replace("+00:00", "Z")
        record: dict[str, Any] = {
            "id": name,
            "modified": moment,
            "published": moment,
            "aliases": [] if also is None else [also],
            "summary": "reads beyond its end",
            "affected": [
                {
                    "package": {"name": library, "ecosystem": "PyPI"},
                    "ranges": [
                        {
                            "type": "ECOSYSTEM",
                            "events": [{"introduced": "0"}, {"fixed": "9999.1"}],
                        }
                    ],
                }
            ],
        }
        if severity is not None:
            record["database_specific"] = {"severity": severity}
        self.advisories[name] = record
        self.of.setdefault(library, []).append(name)


class _Answers(BaseHTTPRequestHandler):
    server: Osv

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        results = []
        for query in asked["queries"]:
            library = query["package"]["name"]
            self.server.asked[library] = query["version"]
            known = [self.server.advisories[name] for name in self.server.of.get(library, ())]
            vulns = [{"id": each["id"], "modified": each["modified"]} for each in known]
            results.append({"vulns": vulns})
        self._answer(500 if self.server.broken else 200, {"results": results})

    def do_GET(self) -> None:
        record = self.server.advisories.get(self.path.removeprefix("/v1/vulns/"))
        self._answer(404 if record is None else 200, record or {"code": 5})

    def _answer(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def _serving(osv: Osv) -> Iterator[Osv]:
    thread = Thread(target=osv.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield osv
    finally:
        osv.shutdown()
        thread.join()
        osv.server_close()


@pytest.fixture
def osv(monkeypatch: pytest.MonkeyPatch) -> Iterator[Osv]:
    # uv tries again and again, and longer each time, what cannot be reached.
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with _serving(Osv()) as server:
        yield server


def test_every_shipped_library_is_asked_for_in_its_locked_version(
    osv: Osv, capsys: pytest.CaptureFixture[str]
) -> None:
    assert advisories.main(["--service", osv.url]) == 0

    assert capsys.readouterr().out == "0 known, 0 overdue\n"
    assert {"fastapi", "grpcio", "onnxruntime", "pillow", "reportlab"} <= osv.asked.keys()
    assert "pytest" not in osv.asked
    assert all(LOCKED[library] == version for library, version in osv.asked.items())


def test_what_tests_and_training_need_is_asked_for_where_that_is_wanted(osv: Osv) -> None:
    assert advisories.main(["--tools", "--service", osv.url]) == 0

    assert {"pillow", "pytest", "tensorflow"} <= osv.asked.keys()


@pytest.mark.parametrize("severity", advisories.DAYS)
def test_a_fault_is_overdue_when_its_days_are_over_and_not_before(
    osv: Osv, capsys: pytest.CaptureFixture[str], severity: str
) -> None:
    days = advisories.DAYS[severity]
    osv.knows("pillow", "GHSA-in-time", days=days - 1, severity=severity.upper())

    assert advisories.main(["--service", osv.url]) == 0
    told = capsys.readouterr().out
    assert f"pillow {LOCKED['pillow']}: GHSA-in-time ({severity}), to be mended until " in told
    assert "mended in 9999.1: reads beyond its end" in told
    assert told.endswith("1 known, 0 overdue\n")

    osv.knows("grpcio", "GHSA-too-late", days=days + 1, severity=severity.upper())

    assert advisories.main(["--service", osv.url]) == 1
    told = capsys.readouterr().out
    assert f"grpcio {LOCKED['grpcio']}: GHSA-too-late ({severity}), overdue since " in told
    assert told.endswith("2 known, 1 overdue\n")


def test_how_bad_a_fault_is_may_stand_under_its_other_name(
    osv: Osv, capsys: pytest.CaptureFixture[str]
) -> None:
    osv.knows("pillow", "PYSEC-2026-1", days=20, severity=None, also="GHSA-the-same")
    osv.knows("a-name-for-the-record-alone", "GHSA-the-same", days=20, severity="CRITICAL")

    assert advisories.main(["--service", osv.url]) == 1

    assert "(critical), overdue since" in capsys.readouterr().out


def test_what_nobody_rates_counts_as_high_and_a_malicious_package_as_critical(
    osv: Osv, capsys: pytest.CaptureFixture[str]
) -> None:
    osv.knows("pillow", "PYSEC-2026-2", days=1, severity=None, also="CVE-2026-2")
    osv.knows("fastapi", "MAL-2026-3", days=1, severity=None)

    assert advisories.main(["--service", osv.url]) == 0

    told = capsys.readouterr().out
    assert "PYSEC-2026-2 (high)" in told
    assert "MAL-2026-3 (critical)" in told


def test_without_an_answer_nothing_is_said_to_be_well(
    osv: Osv, capsys: pytest.CaptureFixture[str]
) -> None:
    osv.broken = True

    assert advisories.main(["--service", osv.url]) == 2
    assert advisories.main(["--service", f"http://127.0.0.1:{free_port()}/"]) == 2

    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("nothing is known of the libraries: ") == 2


@pytest.mark.parametrize(
    "unforeseen",
    [
        {"database_specific": None, "id": None},
        {"published": "2026-01-01T00:00:00"},
        {"published": None, "modified": None},
        {"published": "yesterday"},
        {"database_specific": [7]},
    ],
)
def test_a_record_of_another_form_is_no_answer(
    osv: Osv, capsys: pytest.CaptureFixture[str], unforeseen: dict[str, Any]
) -> None:
    osv.knows("pillow", "PYSEC-2026-4", days=1, severity=None, also="GHSA-unforeseen")
    osv.advisories["GHSA-unforeseen"] = osv.advisories["PYSEC-2026-4"] | unforeseen

    assert advisories.main(["--service", osv.url]) == 2

    told = capsys.readouterr()
    assert told.out == ""
    assert "nothing is known of the libraries: " in told.err
    assert "GHSA-unforeseen" in told.err


def test_what_a_record_leaves_out_is_not_rated(
    osv: Osv, capsys: pytest.CaptureFixture[str]
) -> None:
    osv.knows("pillow", "PYSEC-2026-5", days=1, severity=None)
    osv.advisories["PYSEC-2026-5"]["database_specific"] = None

    assert advisories.main(["--service", osv.url]) == 0

    assert "PYSEC-2026-5 (high)" in capsys.readouterr().out


def test_the_security_page_promises_the_days_that_are_counted() -> None:
    page = (advisories.CHECKOUT / "docs" / "SECURITY.md").read_text(encoding="utf-8")

    for severity, days in advisories.DAYS.items():
        assert f"| {severity} | {days} days |" in page
