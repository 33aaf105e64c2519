"""A day of many people, in minutes: how long answers take while they all work at the same time.

Real services, on SQLite and once more on a real PostgreSQL, and Locust with the people of
`locustfile.py` in a process of its own: each does one thing every four seconds, whatever the others
do, and watches events meanwhile. So many people, so many requests a second; who waits for an answer
asks nothing meanwhile, and the table says how far that kept them behind. Locust shares the cores
with the services, and so does PostgreSQL.

    python -m benchmarks.hospital       writes benchmarks/results/hospital.json and the tables
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import machine, tables
from benchmarks.processor import Meter
from tests import stack
from tests.gateway import databases

PEOPLE = (50, 100, 200)
SPAWNED_A_SECOND = 5
_PATIENCE_S = 60
_JSON = "found"


def main() -> None:
    """Measure, write the result, render the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, nargs="+", default=PEOPLE, help="at the same time")
    parser.add_argument("--seconds", type=int, default=60, help="that all of them work")
    arguments = parser.parse_args()
    found = measured(arguments.people, arguments.seconds)
    machine.write("hospital", found, models=machine.served())
    tables.render()


def measured(people: Sequence[int], seconds: int) -> dict[str, Any]:
    """Let more and more people work, on each database.

    Args:
        people: how many at the same time, one number after the other.
        seconds: that all of them work; what they did while they came is not counted.

    """
    on_sqlite = _loads("", people, seconds)
    with tempfile.TemporaryDirectory() as folder, databases.postgres(Path(folder)) as address:
        on_postgresql = _loads(address, people, seconds)
    return {
        "seconds": seconds,
        "spawned_a_second": SPAWNED_A_SECOND,
        "databases": {"SQLite": on_sqlite, "PostgreSQL": on_postgresql},
    }


def _loads(database_url: str, people: Sequence[int], seconds: int) -> list[dict[str, Any]]:
    variables = {
        "DERMSERVE_GATEWAY_DATABASE_URL": database_url,
        # They all come from one address.
        "DERMSERVE_GATEWAY_ADDRESS_QUOTA": "0",
    }
    with stack.running(**variables) as services:
        return [_load(services, count, seconds) for count in people]


def _load(services: stack.Stack, people: int, seconds: int) -> dict[str, Any]:
    meters = {name: Meter([each.pid]) for name, each in services.processes.items()}
    before = {name: meter.seconds() for name, meter in meters.items()}
    client_before, began = _children_s(), time.monotonic()
    rows = _locust(services.rest, people, math.ceil(people / SPAWNED_A_SECOND) + seconds)
    took = time.monotonic() - began
    used = {name: meter.seconds() - before[name] for name, meter in meters.items()}
    used["people"] = _children_s() - client_before
    return {
        "people": people,
        "kinds": [_figures(row, seconds) for row in rows],
        "cores_busy": {name: cpu_s / took for name, cpu_s in used.items()},
    }


def _locust(host: str, people: int, seconds: int) -> list[dict[str, Any]]:
    """Return the lines of Locust's table; a request that failed is in them, and no error here."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            *(sys.executable, "-m", "locust", "-f", "benchmarks/locustfile.py", "--headless"),
            *(f"--host={host}", f"--users={people}", f"--spawn-rate={SPAWNED_A_SECOND}"),
            *(f"--run-time={seconds}s", "--reset-stats", "--stop-timeout=5", "--only-summary"),
            *("--exit-code-on-error=0", "--skip-log", f"--json-file={folder}/{_JSON}"),
        ]
        subprocess.run(
            command,
            cwd=machine.ROOT,
            check=True,
            stdout=subprocess.DEVNULL,
            timeout=seconds + _PATIENCE_S,
        )
        rows: list[dict[str, Any]] = json.loads(Path(folder, f"{_JSON}.json").read_text())
    return rows


def _figures(row: Mapping[str, Any], seconds: int) -> dict[str, Any]:
    # Locust keeps how often each rounded time occurred.
    times = {int(ms): count for ms, count in row["response_times"].items()}
    return {
        "request": f"{row['method']} {row['name']}",
        "requests": row["num_requests"],
        "failed": row["num_failures"],
        "a_second": row["num_requests"] / seconds,
        "p50_ms": quantile(times, 0.5),
        "p95_ms": quantile(times, 0.95),
        "p99_ms": quantile(times, 0.99),
    }


def quantile(times: Mapping[int, int], share: float) -> float:
    """Return the time that so large a share took at most; 0 of none.

    Args:
        times: how often each was taken.
        share: 0..1.

    """
    left = share * sum(times.values())
    for ms in sorted(times):
        left -= times[ms]
        if left <= 0:
            return float(ms)
    return 0.0


def _children_s() -> float:
    """Return the processor time of those of our processes that have ended."""
    times = os.times()
    return times.children_user + times.children_system


if __name__ == "__main__":
    main()
