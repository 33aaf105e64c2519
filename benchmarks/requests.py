"""What a request costs the gateway in processor time.

A real gateway, with inference and reports beside it, answers each kind of request in turns: sign-in
checked, scoped, recorded. Of an analysis, what the upload itself costs is known apart: what
rewrites the picture, and what keeps its three files so that they survive a power failure, run in
turns with the requests, without a gateway. So does the whole of it by the shortest code that does
the same work, in a server of its own (see ``plain``).

    python -m benchmarks.requests       writes benchmarks/results/requests.json and the tables
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from benchmarks import machine, plain, tables
from benchmarks.processor import Meter
from services.gateway.records import DEFAULT_ORGANISATION
from services.gateway.settings import Settings
from services.gateway.store import Folder
from services.gateway.uploads import rewrite
from tests import specimens, stack

UPLOAD = "analyze a picture"
REWRITTEN = "of it the picture rewritten"
KEPT = "of it the three files kept"
OWN = (REWRITTEN, KEPT)
SHORTEST = "the same by the shortest code"
_PICTURES = 8


@dataclass(slots=True)
class Kind:
    """One kind of request, and what it took, a turn.

    Attributes:
        ask: sends one.
        meter: of the process that does the work.
        cpu_ms: its processor time a request.
        wall_ms: until its answer was there, median.

    """

    ask: Callable[[int], object]
    meter: Meter
    cpu_ms: list[float] = field(default_factory=list)
    wall_ms: list[float] = field(default_factory=list)


def main() -> None:
    """Measure, write the result, render the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10, help="turns of each kind")
    parser.add_argument("--requests", type=int, default=100, help="requests a turn, one by one")
    arguments = parser.parse_args()
    found = measured(arguments.rounds, arguments.requests)
    machine.write("requests", found, models=machine.served())
    tables.render()


def measured(rounds: int, requests: int) -> dict[str, Any]:
    """Ask a gateway of its own.

    Args:
        rounds: turns of each kind.
        requests: a turn.

    Returns:
        Processor time and latency of each kind, in milliseconds a request.

    """
    pictures = [specimens.lesion_jpeg(seed=seed) for seed in range(_PICTURES)]
    with (
        stack.running() as services,
        httpx.Client(base_url=services.rest, trust_env=False, timeout=60) as client,
        plain.running(services.environment) as (plain_client, plain_pid),
        tempfile.TemporaryDirectory() as folder,
        asyncio.Runner() as runner,
    ):
        client.headers["Authorization"] = f"Bearer {stack.signed_in(client)}"
        kinds = _kinds(client, pictures, Meter([services.processes["gateway"].pid]))
        made = Path(services.environment["DERMSERVE_DATA_DIR"], "pictures")
        kinds |= _own(pictures, made, Folder(Path(folder)), runner.get_loop())
        kinds[SHORTEST] = Kind(_analyzing(plain_client, pictures), Meter([plain_pid]))
        for kind in kinds.values():
            kind.ask(0)
        for _ in range(rounds):
            for kind in kinds.values():
                _turn(kind, requests)
    found = {name: _figures(kind) for name, kind in kinds.items()}
    return {
        "requests": rounds * requests,
        "rounds": rounds,
        "kinds": found,
        "upload_above_its_own_cpu_ms": found[UPLOAD]["cpu_ms"]
        - sum(found[own]["cpu_ms"] for own in OWN),
        "upload_above_the_shortest_cpu_ms": found[UPLOAD]["cpu_ms"] - found[SHORTEST]["cpu_ms"],
    }


def _analyzing(client: httpx.Client, pictures: list[bytes]) -> Callable[[int], httpx.Response]:
    headers = {"Content-Type": "image/jpeg"}

    def analyze(turn: int) -> httpx.Response:
        picture = pictures[turn % len(pictures)]
        answer = client.post("/v1/analyses", content=picture, headers=headers)
        return answer.raise_for_status()

    return analyze


def _kinds(client: httpx.Client, pictures: list[bytes], gateway: Meter) -> dict[str, Kind]:
    """Return the kinds of requests, after making what they ask for."""
    analyze = _analyzing(client, pictures)

    def get(path: str) -> Kind:
        return Kind(lambda _: client.get(path).raise_for_status(), gateway)

    one = f"/v1/analyses/{[analyze(turn).json()['id'] for turn in range(20)][-1]}"
    return {
        "is it alive": get("/livez"),
        "who am I": get("/v1/me"),
        "one analysis": get(one),
        "20 analyses": get("/v1/analyses?limit=20"),
        "a mask": get(f"{one}/mask.png"),
        "an outline drawn": get(f"{one}/overlay.png"),
        "a report": get(f"{one}/report.pdf"),
        UPLOAD: Kind(analyze, gateway),
    }


def _own(
    pictures: list[bytes], made: Path, store: Folder, loop: asyncio.AbstractEventLoop
) -> dict[str, Kind]:
    """Return what every upload costs, whoever takes it in.

    Args:
        pictures: that are uploaded.
        made: where the gateway keeps what came of each of them.
        store: where the same is kept once more.
        loop: in which it is kept.

    """
    limits = Settings()
    bounds = (limits.max_upload_bytes, limits.max_pixels, limits.max_side)
    kept = [file.read_bytes() for file in sorted(made.glob(f"{DEFAULT_ORGANISATION}/*/*"))]

    async def keep(turn: int) -> None:
        async with store.stage(DEFAULT_ORGANISATION) as stage:
            for each in range(3):
                stage.add(kept[(3 * turn + each) % len(kept)])
            await stage.publish()

    here = Meter([os.getpid()])
    return {
        REWRITTEN: Kind(lambda turn: rewrite(pictures[turn % len(pictures)], *bounds), here),
        KEPT: Kind(lambda turn: loop.run_until_complete(keep(turn)), here),
    }


def _turn(kind: Kind, requests: int) -> None:
    waited: list[float] = []
    used_s = kind.meter.seconds()
    for request in range(requests):
        began = time.perf_counter()
        kind.ask(request)
        waited.append(time.perf_counter() - began)
    kind.cpu_ms.append(1000 * (kind.meter.seconds() - used_s) / requests)
    kind.wall_ms.append(1000 * statistics.median(waited))


def _figures(kind: Kind) -> dict[str, float]:
    return {
        "cpu_ms": statistics.median(kind.cpu_ms),
        "least_cpu_ms": min(kind.cpu_ms),
        "p50_ms": statistics.median(kind.wall_ms),
    }


if __name__ == "__main__":
    main()
