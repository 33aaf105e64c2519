"""One peer beside dermserve: turn by turn in the same minutes, so that noise meets both."""

import contextlib
import dataclasses
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.machine import ROOT
from benchmarks.peers import catalogue, environments, figures
from benchmarks.peers.catalogue import Peer, Setup
from benchmarks.peers.process import Server
from tests.ports import free_port

CLIENTS = (1, 8, 32)

_WARM_S = 2.0
_READY_WITHIN_S = 240
_DEADLINE_S = 1.0
_IDLE_FACTOR, _IDLE_SLACK_S = 2, 0.05
"""An answer is as on an idle server within twice its median there, and 50 ms."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how often.

    Attributes:
        rounds: turns of each server at each number of clients.
        seconds: of a turn.
        overload_s: of the open loop.

    """

    rounds: int
    seconds: float
    overload_s: float


class Client:
    """The client's process, told what to do line by line."""

    def __init__(self, specimens: Path) -> None:
        """Start it; it reads the specimens."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.peers.client", specimens],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def does(self, **job: object) -> dict[str, Any]:
        """Have one load sent, and return what the client says of it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        said: dict[str, Any] = json.loads(self._process.stdout.readline())
        return said

    def stop(self) -> None:
        """Let it end."""
        self._process.terminate()
        self._process.wait()


class Side:
    """One of the two servers, with what was measured of it."""

    def __init__(self, server: Server, setup: Setup, port: int, client: Client) -> None:
        """Join a running server with the client."""
        self.server = server
        self._address = {"wire": setup.wire, "port": port}
        self._client = client
        self._runs: dict[int, list[dict[str, Any]]] = {clients: [] for clients in CLIENTS}
        self._idle_cores = 0.0

    def wait_until_ready(self) -> None:
        """Ask for a picture until one is answered rightly.

        Raises:
            RuntimeError: it ended, or was not ready in time; with the end of its log.

        """
        until = time.monotonic() + _READY_WITHIN_S
        while not self._does(load="closed", clients=1, seconds=0.1)["outcomes"].get("right"):
            if self.server.ended or time.monotonic() > until:
                message = f"not ready: {self.server.log.read_text(errors='replace')[-500:]}"
                raise RuntimeError(message)
            time.sleep(0.2)

    def warm(self) -> None:
        """Let first runs be over, and see what the server burns when nobody asks."""
        self._does(load="closed", clients=8, seconds=_WARM_S)
        time.sleep(1)
        before = self.server.cpu_s()
        time.sleep(_WARM_S)
        self._idle_cores = (self.server.cpu_s() - before) / _WARM_S

    def turn(self, clients: int, seconds: float) -> None:
        """Measure a closed loop once more."""
        self._runs[clients].append(self._does(load="closed", clients=clients, seconds=seconds))

    def result(self, overload_s: float) -> dict[str, Any]:
        """Measure twice what the closed loops reached, and return all figures."""
        levels = {str(clients): figures.closed(runs) for clients, runs in self._runs.items()}
        capacity = max(level["pictures_a_second"] or 0.0 for level in levels.values())
        memory = self.server.memory()
        rate, alone_ms = 2 * capacity, levels["1"]["p50_ms"] or 0.0
        run = self._does(
            load="open",
            rate=rate,
            seconds=overload_s,
            deadline_s=_DEADLINE_S,
            idle_s=max(_IDLE_FACTOR * alone_ms / 1000, alone_ms / 1000 + _IDLE_SLACK_S),
        )
        return {
            "clients": levels,
            "overload": figures.overload(run, rate, capacity),
            "memory": dataclasses.asdict(memory),
            "memory_after_overload": dataclasses.asdict(self.server.memory()),
            "idle_cores": round(self._idle_cores, 3),
        }

    def _does(self, **job: object) -> dict[str, Any]:
        before = self.server.cpu_s()
        said = self._client.does(**self._address, **job)
        return said | {"cpu_s": self.server.cpu_s() - before}


def measured(peer: Peer, setup: str, specimens: Path, plan: Plan) -> dict[str, Any]:
    """Run a peer beside dermserve.

    Returns:
        The figures of both, by ``"peer"`` and ``"dermserve"``.

    Raises:
        RuntimeError: a server did not come up.
        subprocess.CalledProcessError: the peer cannot be installed.

    """
    with contextlib.ExitStack() as owned:
        folder = Path(owned.enter_context(tempfile.TemporaryDirectory()))
        client = Client(specimens)
        owned.callback(client.stop)
        sides = {
            "peer": owned.enter_context(_side(peer, setup, folder / "peer", client)),
            "dermserve": owned.enter_context(_ours(folder / "dermserve", client)),
        }
        for side in sides.values():
            side.wait_until_ready()
        for side in sides.values():
            side.warm()
        for number, clients in itertools.product(range(plan.rounds), CLIENTS):
            # Who goes first changes, so that a drift of the machine favours neither.
            for name in sorted(sides, reverse=bool(number % 2)):
                sides[name].turn(clients, plan.seconds)
        # Ours first: what a peer still works off after its overload must not slow us down.
        return {name: sides[name].result(plan.overload_s) for name in sorted(sides)}


@contextlib.contextmanager
def _side(peer: Peer, setup: str, folder: Path, client: Client) -> Iterator[Side]:
    assert peer.requirements is not None
    programs = environments.python_of(peer.requirements).parent
    variables = {"PEER_SETUP": setup, "BENTOML_HOME": str(folder)}
    yield from _started(peer.setups[setup], folder, client, variables, str(programs))


@contextlib.contextmanager
def _ours(folder: Path, client: Client) -> Iterator[Side]:
    yield from _started(catalogue.DERMSERVE, folder, client, {}, "")


def _started(
    setup: Setup, folder: Path, client: Client, variables: Mapping[str, str], programs: str
) -> Iterator[Side]:
    folder.mkdir()
    port = free_port()

    def filled(text: str) -> str:
        return text.replace("{port}", str(port)).replace("{bin}", programs)

    told = {**catalogue.COMMON, **setup.variables, **variables}
    server = Server(
        [filled(word) for word in setup.command],
        {name: filled(value) for name, value in told.items()},
        folder,
        folder / "log",
    )
    try:
        yield Side(server, setup, port, client)
    finally:
        server.stop()
