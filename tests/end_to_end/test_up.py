"""``dermserve up``: what a person starts first."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests import stack
from tests.ports import free_port
from tests.watched import Search

COMMAND = [sys.executable, "-c", "from services.cli import app; app()", "up"]
_WITHIN_S = 240


class Up:
    """A running ``dermserve up``, with all that it said on stdout so far."""

    def __init__(self, folder: Path, **variables: str) -> None:
        names = ("GATEWAY", "INFERENCE", "INFERENCE_METRICS", "REPORTS", "REPORTS_METRICS")
        self.ports = {name: free_port() for name in names}
        environment = {
            **os.environ,
            **{f"DERMSERVE_{name}_PORT": str(port) for name, port in self.ports.items()},
            "DERMSERVE_DATA_DIR": str(folder / "data"),
            **variables,
        }
        self._data_dir = folder / "data"
        self._search = Search()
        self.process = subprocess.Popen(
            COMMAND,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said = ""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.ports['GATEWAY']}"

    def until_said(self, words: str) -> None:
        """Read stdout until it holds some words."""
        assert self.process.stdout is not None
        while words not in self.said:
            line = self.process.stdout.readline()
            assert line, f"ended after: {self.said}"
            self.said += line

    def ended(self) -> tuple[int, str]:
        """Wait for the end; return the exit status and stderr, in which no secret is."""
        out, err = self.process.communicate(timeout=_WITHIN_S)
        self.said += out
        with self._search.to_the_end():
            self._search.written.extend(err.splitlines())
            if (self._data_dir / "gateway.db").exists():
                self._search.know(self._data_dir, {})
        return self.process.returncode, err

    def plant(self, *secrets: str) -> None:
        """Take words for secrets that no log may have."""
        self._search.plant(*secrets)


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    running = Up(tmp_path)
    yield running
    running.process.terminate()
    running.process.communicate(timeout=_WITHIN_S)


def test_it_says_where_to_go_once_all_is_ready_and_stops_cleanly_when_told(up: Up) -> None:
    up.until_said("dermserve is ready at")
    assert up.address in up.said
    assert "First boot: sign in as admin" in up.said
    up.plant(up.said.partition("with the password ")[2].split()[0])
    with httpx.Client(base_url=up.address, timeout=60) as client:
        stack.once_ready(client)
    up.process.send_signal(signal.SIGTERM)
    status, said = up.ended()
    assert status == 0, said
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{up.address}/livez", timeout=60)


def test_the_second_start_keeps_accounts_and_shows_no_password(tmp_path: Path) -> None:
    account = {"username": "keeper", "password": "a long password"}
    for attempt in range(2):
        running = Up(tmp_path)
        running.plant(account["password"])
        running.until_said("dermserve is ready at")
        with httpx.Client(base_url=running.address, timeout=60) as client:
            if attempt == 0:
                client.post("/v1/auth/register", json=account).raise_for_status()
            else:
                client.post("/v1/auth/token", data=account).raise_for_status()
                assert "First boot" not in running.said
        running.process.send_signal(signal.SIGINT)
        assert running.ended()[0] == 0


def test_a_service_that_cannot_start_stops_the_others_and_says_why(tmp_path: Path) -> None:
    running = Up(tmp_path, DERMSERVE_INFERENCE_MODEL_DIR=str(tmp_path))
    status, said = running.ended()
    assert status == 1
    assert "no version of the" in said
    assert "inference ended, so the others were stopped" in said


def test_a_misspelt_setting_is_refused_before_anything_starts(tmp_path: Path) -> None:
    status, said = Up(tmp_path, DERMSERVE_GATEWAY_PROT="8000").ended()
    assert status == 1
    assert "did you mean DERMSERVE_GATEWAY_PORT" in said
