"""What reports cost: a page on one core, and the memory of fifty that are asked for at once.

A real report process, bound to one core, is asked for reports of each kind in turns, one after the
other; then for many one-page reports at once, while its resident memory is watched.

    python -m benchmarks.reports        writes benchmarks/results/reports.json and the tables
"""

import argparse
import asyncio
import contextlib
import functools
import os
import statistics
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import psutil
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from benchmarks import machine, tables
from services import rpc
from services.pb import reports_pb2_grpc
from services.pb.reports_pb2 import RenderRequest
from services.reports.settings import Settings
from tests import specimens
from tests.ports import free_port
from tests.reports import messages
from tests.reports.test_process import process

AT_ONCE = 50
_ROWS = 100
_MOST_ROWS = 1_000
_CAMERA = (4000, 3000)
_SMALL = (240, 180)
_BOOT_S = 180
_LOOK_EVERY_S = 0.005

Stub = Any


def main() -> None:
    """Measure, write the result, render the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10, help="turns of each kind")
    parser.add_argument("--reports", type=int, default=20, help="reports a turn")
    options = parser.parse_args()
    found = asyncio.run(measured(options.rounds, options.reports))
    machine.write("reports", found, models=None)
    tables.render()


def kinds() -> dict[str, RenderRequest]:
    """Return what is asked for, by what the table calls it."""
    one_page = messages.filed()
    one_page.analysis.ClearField("earlier")
    photographed = messages.assessed()
    photographed.analysis.image = specimens.lesion_jpeg(_CAMERA)
    return {
        "an analysis": messages.assessed(),
        "an analysis with all that a record needs, one page": one_page,
        "the same with earlier analyses, two pages": messages.filed(),
        "an analysis of a picture of 12 megapixels": photographed,
        "a lesion over time": messages.lesion_over_time(),
        f"a batch of {_ROWS} rows": batch(_ROWS),
    }


def batch(rows: int) -> RenderRequest:
    """Return a batch with small pictures, as whoever asks for thumbnails would send."""
    request = messages.batch(rows)
    small = specimens.lesion_jpeg(_SMALL)
    for row in request.batch.rows:
        if row.analysis.image:
            row.analysis.image = small
    return request


async def measured(rounds: int, reports: int) -> dict[str, Any]:
    """Return seconds of each kind and memory, as JSON holds them."""
    asked = kinds()
    async with service() as (stub, known):
        resident_mb = functools.partial(_resident_mb, known)
        seconds: dict[str, list[float]] = {kind: [] for kind in asked}
        cpu_s = dict.fromkeys(asked, 0.0)
        pages = {kind: (await stub.Render(request)).page_count for kind, request in asked.items()}
        idle_mb = resident_mb()
        for _ in range(rounds):
            for kind, request in asked.items():
                before_s = _cpu_s(known)
                seconds[kind] += [await _once(stub, request) for _ in range(reports)]
                cpu_s[kind] += _cpu_s(known) - before_s
        together = asked["an analysis with all that a record needs, one page"]
        at_once = await _watched(_all(stub, [together] * AT_ONCE), resident_mb)
        large = await _watched(_all(stub, [batch(_MOST_ROWS)]), resident_mb)
    return {
        "picture": f"synthetic, {specimens.SIZE[0]} x {specimens.SIZE[1]}, JPEG",
        "renderers": Settings().max_concurrent_renders,
        "kinds": {
            kind: {"pages": pages[kind], **_told(seconds[kind], cpu_s[kind])} for kind in asked
        },
        "memory": {
            "idle_mb": round(idle_mb, 1),
            "at_once": AT_ONCE,
            "at_once_peak_mb": round(at_once, 1),
            "rows": _MOST_ROWS,
            "rows_peak_mb": round(large, 1),
        },
    }


@contextlib.asynccontextmanager
async def service() -> AsyncIterator[tuple[Stub, psutil.Process]]:
    """Start a report process on one core; yield a stub, and the process."""
    port = free_port()
    variables = {
        "REPORTS_PORT": port,
        "REPORTS_METRICS_PORT": free_port(),
        "REPORTS_MAX_WAITING": AT_ONCE,
        # Nobody reads what it says of each report.
        "LOG_LEVEL": "WARNING",
    }
    with process(**variables) as running:
        known = psutil.Process(running.pid)
        known.cpu_affinity([min(os.sched_getaffinity(0))])
        async with rpc.dial(f"127.0.0.1:{port}") as channel:
            await _ready(channel)
            yield reports_pb2_grpc.ReportServiceStub(channel), known


def _resident_mb(known: psutil.Process) -> float:
    return float(known.memory_info().rss / 2**20)


def _cpu_s(known: psutil.Process) -> float:
    spent = known.cpu_times()
    return float(spent.user + spent.system)


async def _ready(channel: aio.Channel) -> None:
    health = health_pb2_grpc.HealthStub(channel)
    request = health_pb2.HealthCheckRequest(service="")
    await health.Check(request, wait_for_ready=True, timeout=_BOOT_S)


async def _once(stub: Stub, request: RenderRequest) -> float:
    began = time.perf_counter()
    await stub.Render(request)
    return time.perf_counter() - began


async def _all(stub: Stub, requests: list[RenderRequest]) -> None:
    answers = await asyncio.gather(*(stub.Render(request) for request in requests))
    assert all(answer.pdf.startswith(b"%PDF") for answer in answers)


async def _watched(work: Any, resident_mb: Callable[[], float]) -> float:
    """Return the most memory that the process held while work went on."""
    working = asyncio.ensure_future(work)
    peak = resident_mb()
    while not working.done():
        await asyncio.sleep(_LOOK_EVERY_S)
        peak = max(peak, resident_mb())
    await working
    return peak


def _told(seconds: list[float], cpu_s: float) -> dict[str, float | int]:
    cuts = statistics.quantiles(seconds, n=20)
    return {
        "reports": len(seconds),
        "p50_ms": round(1000 * statistics.median(seconds), 1),
        "p95_ms": round(1000 * cuts[-1], 1),
        "cpu_ms": round(1000 * cpu_s / len(seconds), 1),
    }


if __name__ == "__main__":
    main()
