"""What it costs to be watched: throughput with metrics on against metrics off.

One service in this process, asked over gRPC without a pause. Its instruments count and time as
always in one turn, and do nothing in the next; so whatever else the machine does falls on both,
and the ratio is taken turn by turn.

    python -m benchmarks.instrumentation   writes results/instrumentation.json and the tables
"""

from __future__ import annotations  # the generated stub for asyncio is there for type checkers only

import argparse
import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any
from unittest import mock

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

from benchmarks import machine, tables
from services import rpc, telemetry
from services.inference.engine import engine
from services.inference.servicer import SERVICE, InferenceServicer
from services.inference.settings import Settings, available_cores
from services.inference.statuses import STATUSES
from services.pb import inference_pb2 as pb
from services.pb import inference_pb2_grpc
from tests import specimens

_PICTURES = 8
_HOST = "127.0.0.1"
_WRITES = (
    (Counter, "inc"),
    (Gauge, "inc"),
    (Gauge, "dec"),
    (Gauge, "set"),
    (Histogram, "observe"),
)


@dataclass(frozen=True, slots=True)
class Turn:
    """What a number of pictures took.

    Attributes:
        seconds: by the clock.
        cpu_s: of this process, service and client.

    """

    seconds: float
    cpu_s: float


def main() -> None:
    """Measure, write the result, render the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40, help="turns with and without")
    parser.add_argument("--pictures", type=int, default=90, help="pictures a turn")
    arguments = parser.parse_args()
    telemetry.configure_logging("benchmark", "WARNING")
    result = asyncio.run(measured(Settings(), arguments.rounds, arguments.pictures))
    machine.write("instrumentation", result, models=machine.served())
    tables.render()


async def measured(settings: Settings, rounds: int, pictures: int) -> dict[str, Any]:
    """Take turns with and without metrics.

    Returns:
        Throughput and processor time with metrics on, as ratios to both without: median and
        quartiles over the rounds. A cost is a throughput below 1, a processor time above.

    """
    messages = [
        pb.AnalyzeRequest(image=specimens.lesion_jpeg(seed=seed)) for seed in range(_PICTURES)
    ]
    work = list(islice(cycle(messages), pictures))
    on: list[Turn] = []
    off: list[Turn] = []
    async with _served(settings) as stub:
        await _turn(stub, messages)
        for number in range(rounds):
            # Now one begins and now the other: a drift of the machine favors neither.
            for watched in (True, False) if number % 2 else (False, True):
                with nullcontext() if watched else unwatched():
                    (on if watched else off).append(await _turn(stub, work))
    return {
        "rounds": rounds,
        "pictures_a_turn": pictures,
        "pictures_a_second": {
            "on": round(statistics.median(pictures / turn.seconds for turn in on), 1),
            "off": round(statistics.median(pictures / turn.seconds for turn in off), 1),
        },
        "throughput_ratio": _spread([b.seconds / a.seconds for a, b in zip(on, off, strict=True)]),
        "cpu_ratio": _spread([a.cpu_s / b.cpu_s for a, b in zip(on, off, strict=True)]),
    }


@contextmanager
def unwatched() -> Iterator[None]:
    """Let every instrument of this process do nothing meanwhile."""
    with ExitStack() as patches:
        for kind, method in _WRITES:
            patches.enter_context(mock.patch.object(kind, method, _nothing))
        patches.enter_context(mock.patch.object(MetricWrapperBase, "labels", _itself))
        yield


def _nothing(*_: object, **__: object) -> None:
    pass


def _itself(instrument: MetricWrapperBase, *_: object, **__: object) -> MetricWrapperBase:
    return instrument


@asynccontextmanager
async def _served(
    settings: Settings,
) -> AsyncIterator[inference_pb2_grpc.InferenceServiceAsyncStub]:
    registry = CollectorRegistry()
    async with engine(settings, registry) as pipeline:
        server = rpc.Server(STATUSES, registry, "inference")
        servicer = InferenceServicer(pipeline, stream_width=settings.max_batch_size)
        inference_pb2_grpc.add_InferenceServiceServicer_to_server(servicer, server.grpc)
        port = await server.start(_HOST, 0, [SERVICE])
        await server.announce_ready()
        async with rpc.dial(f"{_HOST}:{port}") as channel:
            yield inference_pb2_grpc.InferenceServiceStub(channel)
        await server.stop(0)


async def _turn(
    stub: inference_pb2_grpc.InferenceServiceAsyncStub, work: Sequence[pb.AnalyzeRequest]
) -> Turn:
    waiting = iter(work)

    async def call() -> None:
        for message in waiting:
            await stub.Analyze(message, timeout=60)

    began, cpu_began = time.perf_counter(), time.process_time()
    await asyncio.gather(*(call() for _ in range(4 * available_cores())))
    return Turn(time.perf_counter() - began, time.process_time() - cpu_began)


def _spread(ratios: Sequence[float]) -> dict[str, float]:
    low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return {"low": round(low, 4), "median": round(middle, 4), "high": round(high, 4)}


if __name__ == "__main__":
    main()
