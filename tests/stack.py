"""The services as real processes on free ports, for tests and measurements."""

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import httpx

from tests.ports import free_port

Seen = TypeVar("Seen")

_READY_WITHIN_S = 180
_ENDED_WITHIN_S = 120

UNHURRIED = {
    "DERMSERVE_GATEWAY_ANALYSIS_TIMEOUT_S": "120",
    "DERMSERVE_GATEWAY_REPORT_TIMEOUT_S": "120",
    "DERMSERVE_GATEWAY_NARRATIVE_TIMEOUT_S": "60",
    "DERMSERVE_GATEWAY_BOOT_TIMEOUT_S": "120",
}
"""For tests that do not ask how long things may take: a busy machine is no fault."""


PASSWORD = "measure, then claim"
"""Of those who sign in here."""

_STDERR = 2
_NEWS = b'"level": "info"'


class Service(subprocess.Popen[bytes]):
    """A service as a process."""

    def __init__(
        self, room: str, environment: Mapping[str, str], written: list[str] | None
    ) -> None:
        """Start it; where there is a list, all that it writes is put down there."""
        super().__init__(
            [sys.executable, "-m", f"services.{room}"],
            env=environment,
            stdout=subprocess.DEVNULL if written is None else subprocess.PIPE,
            stderr=None if written is None else subprocess.STDOUT,
        )
        self._listening = threading.Thread(target=self._listen, args=(written,), daemon=True)
        self._listening.start()

    def end(self) -> None:
        """Have it stop, and hear its last words."""
        self.terminate()
        self.wait(timeout=_ENDED_WITHIN_S)
        self._listening.join(timeout=_ENDED_WITHIN_S)

    def _listen(self, written: list[str] | None) -> None:
        if self.stdout is None or written is None:
            return
        with self.stdout:
            for line in self.stdout:
                written.append(line.decode(errors="replace"))
                if _NEWS not in line:
                    # For whoever wonders why a test failed.
                    os.write(_STDERR, line)


@dataclass(frozen=True, slots=True)
class Stack:
    """Where the services answer, which processes they are, and what they have written so far."""

    rest: str
    inference: str
    processes: Mapping[str, Service]
    environment: Mapping[str, str]
    written: list[str] | None = None

    def start(self, room: str) -> Service:
        """Start a service in the place of one that has ended."""
        return Service(room, self.environment, self.written)


@contextlib.contextmanager
def running(written: list[str] | None = None, /, **variables: str) -> Iterator[Stack]:
    """Start inference, reports and gateway on embedded defaults in a throw-away folder.

    Args:
        written: is given every line that they write; without it they write warnings only.
        variables: further environment variables of the services.

    """
    rooms = ("inference", "reports", "gateway")
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as owned:
        ports = {name: free_port() for name in (*rooms, "inference_metrics", "reports_metrics")}
        environment = {
            **os.environ,
            "DERMSERVE_DATA_DIR": folder,
            "DERMSERVE_LOG_LEVEL": "WARNING" if written is None else "INFO",
            "DERMSERVE_INFERENCE_LAME_DUCK_S": "0",
            # The same picture gets the same answer in every run of the tests.
            "DERMSERVE_INFERENCE_PRECISION": "fp32",
            "DERMSERVE_GATEWAY_INFERENCE_ADDRESS": f"127.0.0.1:{ports['inference']}",
            "DERMSERVE_GATEWAY_REPORTS_ADDRESS": f"127.0.0.1:{ports['reports']}",
            **{f"DERMSERVE_{name.upper()}_PORT": str(port) for name, port in ports.items()},
            **variables,
        }
        processes = {}
        for name in rooms:
            processes[name] = Service(name, environment, written)
            owned.callback(processes[name].end)
        rest = f"http://127.0.0.1:{ports['gateway']}"
        _wait_until_ready(rest, processes.values())
        yield Stack(rest, f"127.0.0.1:{ports['inference']}", processes, environment, written)


def signed_in(client: httpx.Client, username: str = "bench") -> str:
    """Register a user and return an access token."""
    account = {"username": username, "password": PASSWORD}
    response = client.post("/v1/auth/register", json=account).raise_for_status()
    token: str = response.json()["access_token"]
    return token


def once_well(look: Callable[[], Seen], is_well: Callable[[Seen], bool]) -> Seen:
    """Look until all is well, and return what was seen then.

    What takes a second to answer a gateway counts as down at that moment.
    """
    until = time.monotonic() + _READY_WITHIN_S
    while not is_well(seen := look()):
        assert time.monotonic() < until, seen
        time.sleep(0.1)
    return seen


def once_ready(client: httpx.Client) -> None:
    """Wait until a gateway has heard of each room in the second that it gives them."""
    once_well(lambda: client.get("/readyz").json(), lambda said: said["status"] == "ready")


def _wait_until_ready(rest: str, processes: Collection[Service]) -> None:
    until = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < until:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{rest}/readyz", trust_env=False).is_success:
                return
        if any(process.poll() is not None for process in processes):
            break
        time.sleep(0.1)
    message = f"the services were not ready within {_READY_WITHIN_S} seconds"
    raise RuntimeError(message)
