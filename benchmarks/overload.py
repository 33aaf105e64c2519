"""What becomes of a service that is asked for more than it can do.

An open loop: requests with a deadline come at a constant rate (see ``open_loop``) of 0.7, 1, 2
and 3 times what the service does when it is never idle, in turns, so that whatever else the machine
does meets all of them. Callers have a core of their own (see ``cores``). Goodput is what was
answered within the deadline. A run that answered nobody is counted from the service's own figures:
rows that the models ran, less the pictures that were answered.

    python -m benchmarks.overload       writes benchmarks/results/overload.json and the tables
"""

import argparse
import bisect
import statistics
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from benchmarks import cores, machine, roads, scrape, tables
from benchmarks.footprint import Footprint
from benchmarks.open_loop import Asked, Step, step
from benchmarks.processor import Meter
from benchmarks.saturation import saturated
from services.inference.settings import available_cores
from tests import specimens, stack

LOADS = (0.7, 1.0, 2.0, 3.0)
REFUSAL_BUCKETS_MS = (1, 2, 5, 10, 20, 50, 100)

_MODELS = 2
_PICTURES = 8
_LOOK_S = 0.01


@dataclass(slots=True)
class _Load:
    """One load, and what was seen under it, all turns together."""

    rate: float
    asked: list[Asked] = field(default_factory=list)
    client_cpu_s: float = 0.0
    cpu_s: float = 0.0
    in_vain: Counter[str] = field(default_factory=Counter)
    resident_mb: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a service had done by a moment."""

    samples: Mapping[str, float]
    resident_mb: float
    cpu_s: float


class _Watched:
    """A running service, and where it says what it does."""

    def __init__(self, address: str, pid: int, page: str) -> None:
        self.address = address
        self._pid = pid
        self._meter = Meter([pid])
        self._page = page

    def seen(self) -> _Seen:
        """Look when nothing is in work, so that nothing is counted for another load."""
        while (samples := scrape.samples(self._page))["inference_pictures_in_work"]:
            time.sleep(_LOOK_S)
        return _Seen(samples, Footprint.of(self._pid).resident_mb, self._meter.seconds())


def main() -> None:
    """Measure, write the result, render the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=4, help="of each load")
    parser.add_argument("--seconds", type=float, default=8, help="of a turn")
    parser.add_argument("--deadline", type=float, default=0.5, help="of a request, in seconds")
    arguments = parser.parse_args()
    found = measured(arguments.seconds, arguments.deadline, turns=arguments.turns)
    machine.write("overload", found, models=machine.served())
    tables.render()


def measured(
    seconds: float,
    deadline_s: float,
    loads: Sequence[float] = LOADS,
    turns: int = 1,
    **variables: str,
) -> dict[str, Any]:
    """Measure the capacity, then the loads in turns.

    Args:
        seconds: that a turn of each takes.
        deadline_s: of every request.
        loads: as multiples of the capacity.
        turns: of each load.
        variables: environment variables of the services.

    """
    with cores.apart() as shared_out, ExitStack() as owned:
        shared_out.serve()
        services = owned.enter_context(stack.running(**variables))
        shared_out.call()
        pid = services.processes["inference"].pid
        watched = _Watched(services.inference, pid, _page(services))
        callers = 4 * len(shared_out.services)
        capacity = _capacity(services.inference, pid, callers, seconds)
        ran_on = _ran_on(services.inference)
        under = {load: _Load(load * capacity) for load in loads}
        for _ in range(turns):
            for load in under.values():
                _take_turn(load, watched, seconds, deadline_s)
    steps = [
        {"load": times, **_told(load, turns * seconds, deadline_s)} for times, load in under.items()
    ]
    peak = max(each["goodput_per_s"] for each in steps)
    for each in steps:
        each["goodput_to_peak"] = round(each["goodput_per_s"] / peak, 3)
    return {
        "picture": "synthetic, 600 x 450, JPEG",
        "ran_on": ran_on,
        "cores": {"service": len(shared_out.services), "client": len(shared_out.callers)},
        "turns": turns,
        "seconds_a_load": turns * seconds,
        "deadline_ms": deadline_s * 1000,
        "capacity_per_s": round(capacity, 1),
        "steps": steps,
    }


def _page(services: stack.Stack) -> str:
    port = services.environment["DERMSERVE_INFERENCE_METRICS_PORT"]
    return f"http://127.0.0.1:{port}/metrics"


def _take_turn(load: _Load, watched: _Watched, seconds: float, deadline_s: float) -> None:
    before = watched.seen()
    told = step(watched.address, load.rate, seconds, deadline_s)
    after = watched.seen()
    load.asked += told.asked
    load.client_cpu_s += told.cpu_s
    load.cpu_s += after.cpu_s - before.cpu_s
    load.in_vain.update(_spent_in_vain(before.samples, after.samples))
    load.resident_mb += [before.resident_mb, after.resident_mb]


def _told(load: _Load, seconds: float, deadline_s: float) -> dict[str, Any]:
    return {
        "asked_per_s": round(load.rate, 1),
        **summary(Step(load.asked, load.client_cpu_s), seconds, deadline_s),
        **load.in_vain,
        "resident_mb": [load.resident_mb[0], load.resident_mb[-1]],
        "cpu_share": _share(load.cpu_s, seconds),
    }


def summary(told: Step, seconds: float, deadline_s: float) -> dict[str, Any]:
    """Return what callers saw in one step."""
    answered = sorted(each.latency_s for each in told.asked if each.status == "OK")
    good = bisect.bisect_right(answered, deadline_s)
    refused = sorted(e.latency_s for e in told.asked if e.status == "RESOURCE_EXHAUSTED")
    return {
        "goodput_per_s": round(good / seconds, 1),
        "statuses": dict(Counter(each.status for each in told.asked)),
        "answered_ms": _percentiles(answered),
        "refused_ms": _percentiles(refused),
        "refused_histogram": _histogram(refused),
        "client_late_p99_ms": _percentiles([each.late_s for each in told.asked])["p99"],
        "client_cpu_share": _share(told.cpu_s, seconds),
    }


def _capacity(address: str, pid: int, callers: int, seconds: float) -> float:
    pictures = [specimens.lesion_jpeg(seed=seed) for seed in range(_PICTURES)]
    with roads.inference(address) as stub:
        road = roads.over_grpc(stub)
        for picture in pictures:
            road(picture)
        return saturated(road, pictures, callers, seconds, Meter([pid])).per_s


def _ran_on(address: str) -> list[str]:
    with roads.inference(address) as stub:
        return roads.ran_on(roads.over_grpc(stub)(specimens.lesion_jpeg()))


def _spent_in_vain(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, int]:
    """Return how many rows the models ran for nobody, and who left before they ran."""

    def grown(name: str) -> float:
        return after.get(name, 0) - before.get(name, 0)

    rows = grown("inference_batch_size_sum") / _MODELS
    return {
        "ran_for_nobody": round(rows - grown("inference_analyses_total")),
        "dropped_before_run": round(grown("inference_dropped_total")),
    }


def _percentiles(seconds: Sequence[float]) -> dict[str, float | None]:
    """Return median and 99th percentile in milliseconds; None where there is nothing."""
    if len(seconds) < 2:  # noqa: PLR2004 - two points make a distribution
        return {"p50": None, "p99": None}
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return {"p50": round(cuts[49] * 1000, 2), "p99": round(cuts[98] * 1000, 2)}


def _histogram(seconds: Sequence[float]) -> dict[str, int]:
    """Count latencies by the bucket that they fall in."""
    bounds = [f"<= {bound} ms" for bound in REFUSAL_BUCKETS_MS]
    counts = Counter(bisect.bisect_left(REFUSAL_BUCKETS_MS, each * 1000) for each in seconds)
    names = [*bounds, f"> {REFUSAL_BUCKETS_MS[-1]} ms"]
    return {name: counts[number] for number, name in enumerate(names)}


def _share(cpu_s: float, seconds: float) -> float:
    """Return processor seconds as a share of what all cores had in that time."""
    return round(cpu_s / seconds / available_cores(), 3)


if __name__ == "__main__":
    main()
