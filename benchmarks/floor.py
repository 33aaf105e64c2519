"""How far the services are from the least that a picture can cost.

Two loops without a server lie below: the *bare loop*, which only decodes and runs both models,
and the *whole answer*, which does everything that the service does (see ``loops``), each with
as many threads as cores. In turns with them, in the same run, the same pictures go through the bare
loop behind a minimal gRPC server (see ``thinnest``); through the service, once without the
two drawings, which a caller may leave out and the bare loop does not make, and once with all that
there is; and through REST (sign-in checked, upload re-encoded, result stored and recorded).

    python -m benchmarks.floor          writes benchmarks/results/floor.json and the tables
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import grpc
import httpx

from benchmarks import loops, machine, roads, tables, thinnest
from benchmarks.footprint import Footprint
from benchmarks.loops import Road
from benchmarks.processor import Meter
from benchmarks.saturation import Saturated, saturated
from services.inference.settings import Settings, available_cores
from services.pb import inference_pb2 as pb
from services.pb import inference_pb2_grpc
from tests import specimens, stack
from tests.ports import free_port

BARE, WHOLE, THINNEST = "bare loop", "whole answer", "bare loop behind gRPC"
FIGURES, GRPC, REST = "gRPC, no drawings", "gRPC", "REST"

_CALLERS = 4
"""So many callers a core fill a service: some pictures are always between two of its steps."""

_FIGURES_ONLY = pb.AnalyzeOptions(omit_mask=True, omit_explanation=True)

# Asks again every 50 ms, so that what is measured is the service and not the back-off.
_IMPATIENT = [
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 50),
]


@dataclass(slots=True)
class Lane:
    """One road, and what was measured on it.

    Attributes:
        road: takes a picture there and back.
        callers: as many as keep every core busy.
        pids: of the processes that do the work; the caller's own is not one of a service's.
        p50_s: median latency at concurrency 1, a round.
        all_s: all latencies.
        full: throughput, a round.

    """

    road: Road
    callers: int
    pids: Sequence[int]
    p50_s: list[float] = field(default_factory=list)
    all_s: list[float] = field(default_factory=list)
    full: list[Saturated] = field(default_factory=list)


def main() -> None:
    """Measure, write the result, render the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=12, help="turns of each road")
    parser.add_argument("--pictures", type=int, default=15, help="pictures a turn, one by one")
    parser.add_argument("--seconds", type=float, default=2, help="of full load a turn")
    arguments = parser.parse_args()
    pictures = [specimens.lesion_jpeg(seed=seed) for seed in range(arguments.pictures)]
    found = measured(pictures, arguments.rounds, arguments.seconds)
    machine.write("floor", found, models=machine.served())
    tables.render()


ALIKE = {
    "DERMSERVE_INFERENCE_EXECUTION_PROVIDER": "cpu",
    "DERMSERVE_INFERENCE_PRECISION": "fp32",
    "DERMSERVE_INFERENCE_RUNNERS": str(available_cores() + 1),
}
"""What the service might choose otherwise than the loops: one thread a run, a run a core, and one
more that changes hands meanwhile."""


def measured(
    pictures: Sequence[bytes], rounds: int, seconds: float, **variables: str
) -> dict[str, Any]:
    """Send pictures down every road, turn by turn.

    Args:
        pictures: JPEG files.
        rounds: turns of each road.
        seconds: that a turn of full load takes.
        variables: environment variables of the services.

    Returns:
        Latency at concurrency 1, throughput and processor seconds a picture under full load,
        for each road and as ratios to both loops, taken round by round.

    """
    with stack.running(**ALIKE, **variables) as services, ExitStack() as owned:
        lanes = _lanes(services, owned)
        for lane in lanes.values():
            for picture in pictures:
                lane.road(picture)
        for _ in range(rounds):
            for lane in lanes.values():
                _take_turn_alone(lane, pictures)
            for lane in lanes.values():
                meter = Meter(lane.pids)
                lane.full.append(saturated(lane.road, pictures, lane.callers, seconds, meter))
        ran_on = {name: roads.ran_on(lanes[name].road(pictures[0])) for name in (WHOLE, GRPC)}
        memory = {
            name: round(Footprint.of(p.pid).resident_mb) for name, p in services.processes.items()
        }
    return {
        "picture": "synthetic, 600 x 450, JPEG",
        "pictures_a_road": rounds * len(pictures),
        "rounds": rounds,
        "ran_on": ran_on,
        "roads": {name: _summary(lane, lanes) for name, lane in lanes.items()},
        "resident_mb": memory,
        "inference_ready_s": _ready_after_s(),
    }


def _lanes(services: stack.Stack, owned: ExitStack) -> Mapping[str, Lane]:
    segmenter, classifier = owned.enter_context(
        loops.models(
            Settings(execution_provider="cpu", precision="fp32", runners=available_cores())
        )
    )
    stub = owned.enter_context(roads.inference(services.inference))
    thin_stub, thin_pid = owned.enter_context(thinnest.running())
    with httpx.Client(base_url=services.rest, timeout=roads.TIMEOUT_S) as client:
        token = stack.signed_in(client)
    rest = owned.enter_context(roads.gateway(services.rest, token))
    cores = available_cores()
    inference, gateway = (services.processes[name].pid for name in ("inference", "gateway"))
    here = [os.getpid()]
    return {
        BARE: Lane(loops.bare(segmenter, classifier), cores, here),
        WHOLE: Lane(loops.whole(segmenter, classifier), cores, here),
        THINNEST: Lane(roads.over_grpc(thin_stub), _CALLERS * cores, [thin_pid]),
        FIGURES: Lane(roads.over_grpc(stub, _FIGURES_ONLY), _CALLERS * cores, [inference]),
        GRPC: Lane(roads.over_grpc(stub), _CALLERS * cores, [inference]),
        REST: Lane(rest, _CALLERS * cores, [inference, gateway]),
    }


def _take_turn_alone(lane: Lane, pictures: Sequence[bytes]) -> None:
    taken = [_timed(lane.road, picture) for picture in pictures]
    lane.all_s += taken
    lane.p50_s.append(statistics.median(taken))


def _timed(road: Road, picture: bytes) -> float:
    began = time.perf_counter()
    road(picture)
    return time.perf_counter() - began


def _summary(lane: Lane, lanes: Mapping[str, Lane]) -> dict[str, float]:
    figures = {
        "p50_ms": round(statistics.median(lane.all_s) * 1000, 2),
        "p95_ms": round(statistics.quantiles(lane.all_s, n=20)[-1] * 1000, 2),
        "pictures_a_second": round(statistics.median(_per_s(lane)), 1),
        "cpu_ms": round(statistics.median(_cpu_s(lane)) * 1000, 2),
        "callers_cpu_ms": round(statistics.median(_callers_s(lane)) * 1000, 2),
    }
    for floor, word in ((BARE, "bare"), (WHOLE, "whole")):
        below = lanes[floor]
        figures[f"p50_to_{word}"] = _ratio(lane.p50_s, below.p50_s)
        figures[f"throughput_to_{word}"] = _ratio(_per_s(lane), _per_s(below))
        figures[f"cpu_to_{word}"] = _ratio(_cpu_s(lane), _cpu_s(below))
    return figures


def _per_s(lane: Lane) -> list[float]:
    return [each.per_s for each in lane.full]


def _cpu_s(lane: Lane) -> list[float]:
    return [each.cpu_s for each in lane.full]


def _callers_s(lane: Lane) -> list[float]:
    """Return what the callers took beside the work; in a loop, they are those who do it."""
    return [each.callers_s if lane.pids != [os.getpid()] else 0.0 for each in lane.full]


def _ratio(ours: Sequence[float], floor: Sequence[float]) -> float:
    """Return the median of ratios, each of two figures of one round."""
    return round(statistics.median(a / b for a, b in zip(ours, floor, strict=True)), 3)


def _ready_after_s() -> float:
    """Return seconds from starting the inference service to its being ready."""
    port = free_port()
    variables = {"PORT": str(port), "METRICS_PORT": str(free_port())}
    environment = {f"DERMSERVE_INFERENCE_{name}": value for name, value in variables.items()}
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "services.inference"], env={**os.environ, **environment}
    )
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}", options=_IMPATIENT) as channel:
            inference_pb2_grpc.InferenceServiceStub(channel).ListModels(
                pb.ListModelsRequest(), timeout=180, wait_for_ready=True
            )
        return round(time.perf_counter() - began, 2)
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()
