"""What a second worker process adds, where reading is all there is to do.

Gateways with one and with two workers, each behind one address, answer the same requests in turns,
on SQLite and on a real PostgreSQL; inference idles. Callers, workers and database share the cores
of this machine, and two workers can get no more done than the cores that the others leave them. So
every worker has a share of a core and no more, as if each had a small machine of its own, and cores
stay free; ``--share 0`` lets them take what they can. What each of them takes is measured too.

Only root may bound a process; to others, this says so and measures nothing.

    python -m benchmarks.workers        writes benchmarks/results/workers.json and the tables
"""

import argparse
import contextlib
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from benchmarks import closed_loop, machine, quota, tables
from benchmarks.processor import Meter
from tests import specimens, stack
from tests.gateway import databases

COUNTS = (1, 2)
_KEPT = 20


@dataclass(slots=True)
class Lane:
    """A gateway with so many workers, and who asks it.

    Attributes:
        port: that all its workers serve.
        token: proof of who asks.
        paths: what is asked for, by what it is called.
        workers: their processor time.
        turns: what was found in each, by kind of request.

    """

    port: int
    token: str
    paths: Mapping[str, str]
    workers: Meter
    turns: dict[str, list[dict[str, float]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Terms:
    """How it is measured.

    Attributes:
        rounds: turns of each kind of request.
        seconds: that a turn takes.
        callers: that ask at the same time, for each worker: as many keep one busy.
        share_of_a_core: that each worker may take; 0 for all that it can.

    """

    rounds: int
    seconds: float
    callers: int
    share_of_a_core: float


def main() -> None:
    """Measure, write the result, render the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="turns of each kind")
    parser.add_argument("--seconds", type=float, default=3, help="that a turn takes")
    parser.add_argument("--callers", type=int, default=16, help="that ask each worker")
    parser.add_argument("--share", type=float, default=0.4, help="of a core, for each worker")
    given = parser.parse_args()
    try:
        found = measured(Terms(given.rounds, given.seconds, given.callers, given.share))
    except quota.QuotaError as error:
        parser.exit(1, f"{error}; with --share 0 workers take what they can\n")
    machine.write("workers", found, models=machine.served())
    tables.render()


def measured(terms: Terms) -> dict[str, Any]:
    """Measure on both databases.

    Raises:
        quota.QuotaError: workers cannot be bound here.

    """
    on_sqlite = _measured({}, lambda: 0.0, terms)
    with (
        tempfile.TemporaryDirectory() as folder,
        databases.postgres(Path(folder)) as address,
    ):
        server = _server(Path(folder))
        variables = {"DERMSERVE_GATEWAY_DATABASE_URL": address}
        on_postgresql = _measured(variables, lambda: _seconds_of(server), terms)
    return {
        **asdict(terms),
        "databases": {"SQLite": on_sqlite, "PostgreSQL": on_postgresql},
    }


def _measured(
    variables: Mapping[str, str], database_s: Callable[[], float], terms: Terms
) -> dict[str, Any]:
    with contextlib.ExitStack() as owned:
        lanes = {
            count: owned.enter_context(_lane(count, variables, terms.share_of_a_core))
            for count in COUNTS
        }
        kinds = list(lanes[COUNTS[0]].paths)
        for turn in range(-1, terms.rounds):
            for kind in kinds:
                for count, lane in lanes.items():
                    callers = count * terms.callers
                    found = _turn(lane, lane.paths[kind], database_s, callers, terms.seconds)
                    # The first of all is for warming up.
                    if turn >= 0:
                        lane.turns.setdefault(kind, []).append(found)
    return {kind: _figures({n: lane.turns[kind] for n, lane in lanes.items()}) for kind in kinds}


@contextlib.contextmanager
def _lane(count: int, variables: Mapping[str, str], share: float) -> Iterator[Lane]:
    """Start a gateway with so many workers, and make what it is asked for."""
    own = {
        "DERMSERVE_GATEWAY_WORKERS": str(count),
        "DERMSERVE_GATEWAY_CALLER_QUOTA": "0",
        **variables,
    }
    with (
        stack.running(**own) as services,
        httpx.Client(base_url=services.rest, trust_env=False, timeout=60) as client,
        contextlib.ExitStack() as bounds,
    ):
        token = stack.signed_in(client, f"workers-{count}-{os.getpid()}")
        client.headers["Authorization"] = f"Bearer {token}"
        made = [_analyzed(client, seed) for seed in range(_KEPT)]
        gateway = psutil.Process(services.processes["gateway"].pid)
        workers = gateway.children() if count > 1 else [gateway]
        paths = {
            "who am I": "/v1/me",
            "one analysis": f"/v1/analyses/{made[-1]}",
            f"{_KEPT} analyses": f"/v1/analyses?limit={_KEPT}",
        }
        port = httpx.URL(services.rest).port
        for worker in workers if share else ():
            bounds.enter_context(quota.at_most(share, worker.pid))
        yield Lane(port or 0, token, paths, Meter([worker.pid for worker in workers]))


def _analyzed(client: httpx.Client, seed: int) -> str:
    picture, headers = specimens.lesion_jpeg(seed=seed), {"Content-Type": "image/jpeg"}
    answer = client.post("/v1/analyses", content=picture, headers=headers).raise_for_status()
    return str(answer.json()["id"])


def _turn(
    lane: Lane, path: str, database_s: Callable[[], float], callers: int, seconds: float
) -> dict[str, float]:
    used, kept, began = lane.workers.seconds(), database_s(), time.perf_counter()
    answered = closed_loop.asked(lane.port, path, lane.token, callers, seconds)
    took = time.perf_counter() - began
    each = 1000 / max(1, answered.requests)
    cpu = {
        "cpu_ms": each * (lane.workers.seconds() - used),
        "database_cpu_ms": each * (database_s() - kept),
        "callers_cpu_ms": each * answered.cpu_s,
    }
    return {
        "requests_a_second": answered.requests / answered.seconds,
        "failed": answered.failed,
        "p50_ms": answered.p50_ms,
        **cpu,
        "cores_busy": sum(cpu.values()) / each / took,
    }


def _figures(turns: Mapping[int, list[dict[str, float]]]) -> dict[str, Any]:
    """Return the medians of the turns, and of what each turn with more workers is to the first."""
    alone = turns[COUNTS[0]]
    found: dict[str, Any] = {}
    for count, those in turns.items():
        figures = {name: statistics.median(each[name] for each in those) for name in those[0]}
        figures["failed"] = sum(each["failed"] for each in those)
        to_one = (
            each["requests_a_second"] / one["requests_a_second"]
            for each, one in zip(those, alone, strict=True)
        )
        found[str(count)] = figures | {"to_one_worker": statistics.median(to_one)}
    return found


def _server(folder: Path) -> psutil.Process:
    """Return the server whose data lie in a folder."""
    pid = (folder / "postmaster.pid").read_text().split()[0]
    return psutil.Process(int(pid))


def _seconds_of(server: psutil.Process) -> float:
    """Return the processor time of a server, and of the connections that it has and had."""
    had = server.cpu_times()
    there = Meter([server.pid, *(child.pid for child in server.children())])
    return float(there.seconds() + had.children_user + had.children_system)


if __name__ == "__main__":
    main()
