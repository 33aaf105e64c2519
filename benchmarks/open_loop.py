"""Callers who come whether or not the others have been answered: a constant rate, one clock.

Every request has a moment at which it is due, and its latency counts from there: a client that
falls behind makes its own figures worse, not better, and nothing that waits is left out
(coordinated omission). It runs in a process of its own, and says how much processor time it
took from the service beside it.
"""

from __future__ import annotations  # gRPC's classes are generic for type checkers only

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import cycle

import grpc
from grpc import aio

from services.pb import inference_pb2 as pb
from tests import specimens

_SERVICE = pb.DESCRIPTOR.services_by_name["InferenceService"].full_name
_METHOD = f"/{_SERVICE}/Analyze"
_PICTURES = 8
_WARM_CALLS = 4
_START_S = 0.2


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of one request.

    Attributes:
        status: gRPC's name of it.
        latency_s: from when it was due to its answer.
        late_s: from when it was due to when it was sent.

    """

    status: str
    latency_s: float
    late_s: float


@dataclass(frozen=True, slots=True)
class Step:
    """A time at one rate.

    Attributes:
        asked: all requests, in the order in which they ended.
        cpu_s: processor seconds that the client used.

    """

    asked: Sequence[Asked]
    cpu_s: float


def step(address: str, rate: float, seconds: float, deadline_s: float) -> Step:
    """Ask at a constant rate, from a process of its own.

    Args:
        address: of the inference service.
        rate: requests a second.
        seconds: for how long.
        deadline_s: of each request.

    """
    arguments = [address, str(rate), str(seconds), str(deadline_s)]
    command = [sys.executable, "-m", "benchmarks.open_loop", *arguments]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode:
        raise RuntimeError(finished.stderr)
    told = json.loads(finished.stdout)
    return Step([Asked(**each) for each in told["asked"]], told["cpu_s"])


def main() -> None:
    """Be the process: drive, and print a ``Step`` as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("address")
    for name in ("rate", "seconds", "deadline_s"):
        parser.add_argument(name, type=float)
    told = parser.parse_args()
    print(json.dumps(asdict(asyncio.run(_driven(**vars(told))))))


async def _driven(address: str, rate: float, seconds: float, deadline_s: float) -> Step:
    pictures = [specimens.lesion_jpeg(seed=seed) for seed in range(_PICTURES)]
    messages = [pb.AnalyzeRequest(image=picture).SerializeToString() for picture in pictures]
    asked: list[Asked] = []
    async with aio.insecure_channel(address) as channel:
        analyze: aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(_METHOD)
        for message in messages[:_WARM_CALLS]:
            await analyze(message, timeout=60)

        async def ask(message: bytes, due: float) -> None:
            sent = time.perf_counter()
            try:
                await analyze(message, timeout=deadline_s)
                status = grpc.StatusCode.OK
            except aio.AioRpcError as error:
                status = error.code()
            asked.append(Asked(status.name, time.perf_counter() - due, sent - due))

        before = time.process_time()
        start = time.perf_counter() + _START_S
        async with asyncio.TaskGroup() as asking:
            for number, message in zip(range(round(rate * seconds)), cycle(messages)):
                due = start + number / rate
                await asyncio.sleep(due - time.perf_counter())
                asking.create_task(ask(message, due))
    return Step(asked, time.process_time() - before)


if __name__ == "__main__":
    main()
