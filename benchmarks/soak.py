"""Whether the inference service stays as it is over many thousand requests.

A real process is asked 20,000 times, by several callers at a time, one request in ten wrong:
broken files, broken messages, hopeless deadlines, callers who leave. Every answer is compared
with the first one for the same picture. Memory, open files and threads are looked at all the
time; medians of an early and of a late window, both after the warm-up, are compared.

    python -m benchmarks.soak           writes benchmarks/results/soak.json and the tables
    python -m benchmarks.soak --tiny    the same with models of a few hundred bytes
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from grpc import aio

from benchmarks import machine, tables
from benchmarks.footprint import Footprint
from benchmarks.mixture import Mixture, Surprise, pictures
from services import rpc
from services.inference.settings import Settings
from tests import tiny_models
from tests.inference.processes import replica

RESULT = Path(__file__).parent / "results" / "soak.json"

EARLY = (0.25, 0.5)
LATE = (0.75, 1.0)
"""Windows that are compared, as shares of the requests; what comes before is the warm-up."""

_LOOKS = 100
"""At the process in a run. Were they so many a second, a fast machine would skip a window."""

_KEPT_SURPRISES = 20

Look = tuple[int, Footprint]
"""How many requests were done, and what the process held then."""


def main() -> None:
    """Ask, write the result, render the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--callers", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tiny", action="store_true", help="with models that know nothing")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model_dir = tiny_models.write_models(Path(folder)) if options.tiny else Settings().model_dir
        found = asyncio.run(soaked(model_dir, options.requests, options.callers, options.seed))
        described = machine.described(model_dir)
    models = "of a few hundred bytes" if options.tiny else "as published"
    result = {"machine": described, "models": models, **found}
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    tables.render()
    print(json.dumps(result, indent=1))


async def soaked(model_dir: Path, requests: int, callers: int, seed: int = 1) -> dict[str, Any]:
    """Ask a process of its own so many times and return what became of it."""
    with replica(model_dir, DERMSERVE_LOG_LEVEL="WARNING") as service:
        async with rpc.dial(service.address) as channel:
            await channel.channel_ready()
            known = await Mixture(channel, pictures(), seed).learn()
            run = Soak(Mixture(channel, known, seed), service.process.pid)
            began = time.monotonic()
            await run.until(requests, callers)
            seconds = time.monotonic() - began
    return {
        "requests": run.done,
        "seconds": round(seconds),
        "kinds": dict(sorted(run.kinds.items())),
        "surprises": run.surprises[:_KEPT_SURPRISES],
        "surprised": len(run.surprises),
        "early": _median(run.looks, requests, EARLY),
        "late": _median(run.looks, requests, LATE),
        "resident_growth": round(growth(run.looks, requests), 4),
        "resident_mb_over_time": [look.resident_mb for _, look in _thinned(run.looks)],
    }


class Soak:
    """A run: what was asked, what surprised, and what the process held.

    Attributes:
        done: requests that were answered, rightly or not.
        kinds: how many of each kind.
        surprises: what was answered otherwise than it must be.
        looks: at the process, from time to time.

    """

    def __init__(self, mixture: Mixture, pid: int) -> None:
        """Build from what is asked and the process that is asked."""
        self.done = 0
        self.kinds: Counter[str] = Counter()
        self.surprises: list[str] = []
        self.looks: list[Look] = []
        self._mixture = mixture
        self._pid = pid

    async def until(self, requests: int, callers: int) -> None:
        """Ask with so many callers at a time until so many requests are done."""
        async with asyncio.TaskGroup() as asking:
            for _ in range(callers):
                asking.create_task(self._ask(requests))

    async def _ask(self, requests: int) -> None:
        while self.done < requests:
            try:
                kind, number = await self._mixture.ask()
            except (Surprise, aio.AioRpcError) as surprise:
                kind, number = "surprise", 1
                self.surprises.append(f"{type(surprise).__name__}: {surprise}")
            self.kinds[kind] += number
            self.done += number
            if self.done * _LOOKS >= len(self.looks) * requests:
                self.looks.append((self.done, Footprint.of(self._pid)))


def growth(looks: Sequence[Look], requests: int) -> float:
    """Return by what share resident memory grew from the early to the late window."""
    early, late = (_median(looks, requests, window) for window in (EARLY, LATE))
    return late["resident_mb"] / early["resident_mb"] - 1


def _median(looks: Sequence[Look], requests: int, window: tuple[float, float]) -> dict[str, float]:
    inside = [look for done, look in looks if window[0] <= done / requests <= window[1]]
    return {
        "resident_mb": statistics.median(look.resident_mb for look in inside),
        "open_files": statistics.median(look.open_files for look in inside),
        "threads": statistics.median(look.threads for look in inside),
    }


def _thinned(looks: Sequence[Look], most: int = 60) -> Sequence[Look]:
    return looks[:: max(1, len(looks) // most)]


if __name__ == "__main__":
    main()
