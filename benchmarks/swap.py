"""What callers notice when models change beside them: nothing, or how much.

A real inference process with the shipped models answers pictures at half the rate that it can
do at most, in turns: as it is, while the stable version of both models changes again and again,
with a canary, and with a shadow. All versions are copies of one, so the work is the same.

    python -m benchmarks.swap           writes benchmarks/results/swap.json and the tables
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import shutil
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from grpc import aio

from benchmarks import machine, tables
from services import rpc
from services.inference import labels, repository
from services.inference.contract import CONTRACTS
from services.inference.labels import Canary, Labels
from services.inference.settings import Settings, available_cores
from services.pb import inference_pb2 as pb
from services.pb import inference_pb2_grpc
from tests import specimens
from tests.inference.processes import replica

RESULT = Path(__file__).parent / "results" / "swap.json"

_LOAD = 0.5
"""The rate of arrivals, as a share of what the service can do."""

_SWAP_EVERY_S = 1.0
_POLL_S = 0.1
_ASKING_S = 60

Stub = Any


@dataclass(slots=True)
class Turns:
    """What came of all turns of one kind.

    Attributes:
        seconds: from asking to the answer, of every picture.
        failed: pictures without an answer.
        versions: that answered.
        swaps: of both models.

    """

    seconds: list[float] = field(default_factory=list)
    failed: int = 0
    versions: set[str] = field(default_factory=set)
    swaps: int = 0


def main() -> None:
    """Measure, write the result, render the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=4, help="turns of each kind")
    parser.add_argument("--seconds", type=float, default=15, help="length of a turn")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        copied = two_versions(Settings().model_dir, Path(folder))
        found = asyncio.run(measured(copied, options.rounds, options.seconds))
    result = {"machine": machine.described(machine.served()), **found}
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    tables.render()
    print(json.dumps(result, indent=1))


def two_versions(shipped: Path, model_dir: Path) -> Path:
    """Copy the highest version of each model twice, as versions 1 and 2."""
    for name, number in itertools.product(CONTRACTS, ("1", "2")):
        shutil.copytree(repository.latest(shipped, name), model_dir / name / number)
    return model_dir


async def measured(model_dir: Path, rounds: int, seconds: float) -> dict[str, Any]:
    """Ask a process of its own in turns, and return what its callers noticed."""
    label(model_dir, Labels(stable=1))
    turns = {name: Turns() for name in _KINDS}
    variables = {"DERMSERVE_LOG_LEVEL": "WARNING", "DERMSERVE_INFERENCE_MODEL_POLL_S": f"{_POLL_S}"}
    with replica(model_dir, **variables) as service:
        async with rpc.dial(service.address) as channel:
            stub = inference_pb2_grpc.InferenceServiceStub(channel)
            await channel.channel_ready()
            rate = _LOAD * await capacity(stub, seconds)
            for _, (name, prepare) in itertools.product(range(rounds), _KINDS.items()):
                async with prepare(model_dir, stub, turns[name]):
                    await asked(stub, rate, seconds, turns[name])
    steady = _summary(turns["as it is"])
    return {
        "picture": "synthetic, 600 x 450, JPEG",
        "rate": round(rate, 1),
        "turns": {
            name: {
                **(found := _summary(each)),
                "p50_to_steady": round(found["p50_ms"] / steady["p50_ms"], 2),
                "p99_to_steady": round(found["p99_ms"] / steady["p99_ms"], 2),
            }
            for name, each in turns.items()
        },
    }


def label(model_dir: Path, given: Labels) -> None:
    """Write the labels of both models."""
    for name in CONTRACTS:
        labels.write(model_dir / name, given)


async def capacity(stub: Stub, seconds: float) -> float:
    """Return how many pictures a second the service answers when it never lacks work."""
    pictures = _pictures()
    began, done = time.perf_counter(), 0

    async def caller() -> None:
        nonlocal done
        while time.perf_counter() < began + seconds:
            await stub.Analyze(pb.AnalyzeRequest(image=next(pictures)), timeout=_ASKING_S)
            done += 1

    await asyncio.gather(*(caller() for _ in range(2 * available_cores())))
    return done / (time.perf_counter() - began)


async def asked(stub: Stub, rate: float, seconds: float, turns: Turns) -> None:
    """Send pictures at a constant rate, whether or not those before were answered."""
    pictures, began = _pictures(), time.perf_counter()

    async def ask() -> None:
        sent = time.perf_counter()
        try:
            answer = await stub.Analyze(pb.AnalyzeRequest(image=next(pictures)), timeout=_ASKING_S)
        except aio.AioRpcError:
            turns.failed += 1
            return
        turns.seconds.append(time.perf_counter() - sent)
        turns.versions |= {f"{model.name} {model.version}" for model in answer.models}

    async with asyncio.TaskGroup() as asking:
        for number in range(round(rate * seconds)):
            await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
            asking.create_task(ask())


@asynccontextmanager
async def _standing(model_dir: Path, stub: Stub, given: Labels) -> AsyncIterator[None]:
    """Give labels, and begin when the service does as they say."""
    label(model_dir, given)
    await _followed(stub, "1", len(given.by_label()) * len(CONTRACTS))
    yield
    label(model_dir, Labels(stable=1))
    await _followed(stub, "1", len(CONTRACTS))


@asynccontextmanager
async def _swapping(model_dir: Path, stub: Stub, turns: Turns) -> AsyncIterator[None]:
    async def swap() -> None:
        for number in itertools.cycle((2, 1)):
            label(model_dir, Labels(stable=number))
            rest = asyncio.create_task(asyncio.sleep(_SWAP_EVERY_S))
            await _followed(stub, str(number), len(CONTRACTS))
            turns.swaps += len(CONTRACTS)
            await rest

    swapping = asyncio.create_task(swap())
    yield
    swapping.cancel()
    # What went wrong with swapping is no result of serving.
    with contextlib.suppress(asyncio.CancelledError):
        await swapping
    label(model_dir, Labels(stable=1))
    await _followed(stub, "1", len(CONTRACTS))


async def _followed(stub: Stub, stable: str, loaded: int) -> None:
    """Wait until both models have this stable version, and so many versions are left in all."""
    while True:
        models = (await stub.ListModels(pb.ListModelsRequest(), timeout=_ASKING_S)).models
        answering = [each for each in models if each.version_label == pb.VERSION_LABEL_STABLE]
        if len(models) == loaded and {each.version for each in answering} == {stable}:
            return
        await asyncio.sleep(_POLL_S)


_Prepare = Callable[[Path, Stub, Turns], Any]

_KINDS: dict[str, _Prepare] = {
    "as it is": lambda folder, stub, _: _standing(folder, stub, Labels(stable=1)),
    "both models swapped again and again": _swapping,
    "a canary for half of the pictures": lambda folder, stub, _: _standing(
        folder, stub, Labels(stable=1, canary=Canary(version=2, share=0.5))
    ),
    "a shadow": lambda folder, stub, _: _standing(folder, stub, Labels(stable=1, shadow=2)),
}


def _summary(turns: Turns) -> dict[str, Any]:
    return {
        "pictures": len(turns.seconds),
        "failed": turns.failed,
        "swaps": turns.swaps,
        "versions": sorted(turns.versions),
        "p50_ms": round(statistics.median(turns.seconds) * 1000, 1),
        "p99_ms": round(statistics.quantiles(turns.seconds, n=100)[-1] * 1000, 1),
    }


def _pictures() -> Iterator[bytes]:
    return itertools.cycle(_drawn())


@cache
def _drawn() -> list[bytes]:
    return [specimens.lesion_jpeg(seed=seed) for seed in range(12)]


if __name__ == "__main__":
    main()
