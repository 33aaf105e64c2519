"""The one client of every server: a process that does as each line of its input says.

A line is a JSON object, ``{"wire": …, "port": …, "load": "closed" | "open", …}``; so
is each line of its output. Every client sends other pictures than its neighbours, and every
answer is compared with what is right for its own picture.
"""

import asyncio
import itertools
import json
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from benchmarks.peers import answers, wires
from benchmarks.peers.answers import Specimen
from benchmarks.peers.wires import Outcome, Wire

PATIENCE_S = 60
"""Deadline of a caller who has no other: long enough for any server."""


class Caller:
    """Sends pictures and keeps what became of them."""

    def __init__(self, wire: Wire, specimens: list[Specimen]) -> None:
        """Start with nothing sent."""
        self.wire, self.specimens = wire, specimens
        self.outcomes: Counter[Outcome] = Counter()
        self.seconds: dict[Outcome, list[float]] = {outcome: [] for outcome in Outcome}
        self.last_at = time.perf_counter()

    async def ask(self, number: int, deadline_s: float = PATIENCE_S) -> Outcome:
        """Send one picture, chosen by number, and judge its answer."""
        specimen = self.specimens[number % len(self.specimens)]
        began = time.perf_counter()
        reply = await self.wire.ask(specimen.picture, deadline_s)
        self.last_at = time.perf_counter()
        outcome = reply.outcome
        if reply.answer is not None and not reply.answer.agrees_with(specimen.expected):
            outcome = Outcome.WRONG
        self.outcomes[outcome] += 1
        self.seconds[outcome].append(self.last_at - began)
        return outcome

    def said(self, **more: object) -> dict[str, Any]:
        """Return all that was kept."""
        return {"outcomes": self.outcomes, "seconds": self.seconds, **more}


async def closed(caller: Caller, clients: int, seconds: float) -> dict[str, Any]:
    """Let each client send its next picture when it has the answer to its last."""
    began = time.perf_counter()

    async def client(first: int) -> None:
        for number in itertools.count(first):
            if time.perf_counter() - began >= seconds:
                return
            await caller.ask(number * _STRIDE)

    await asyncio.gather(*(client(first) for first in range(clients)))
    return caller.said(elapsed_s=caller.last_at - began)


async def opened(
    caller: Caller, rate: float, seconds: float, deadline_s: float, idle_s: float
) -> dict[str, Any]:
    """Send at a constant rate, whatever comes back; then see how long that is felt.

    Returns:
        What was kept, with ``recovered_s``: seconds from the last of them to the first of three
        pictures in turn, asked one at a time, that are answered within ``idle_s``. It is None
        when there were no such three in ``_GIVE_UP_S``.

    """
    began = time.perf_counter()
    after = Caller(caller.wire, caller.specimens)
    async with asyncio.TaskGroup() as running:
        for number in range(round(rate * seconds)):
            await asyncio.sleep(max(0, began + number / rate - time.perf_counter()))
            running.create_task(caller.ask(number, deadline_s))
        recovered_s = await _recovered_s(after, idle_s)
    return caller.said(elapsed_s=seconds, recovered_s=recovered_s, probes=after.outcomes)


async def _recovered_s(caller: Caller, idle_s: float) -> float | None:
    began = time.perf_counter()
    in_turn: list[float] = []
    for number in itertools.count():
        asked_at = time.perf_counter()
        if asked_at - began > _GIVE_UP_S:
            break
        outcome = await caller.ask(number, max(_PROBED_WITHIN_S, idle_s))
        in_time = time.perf_counter() - asked_at <= idle_s
        in_turn = [*in_turn, asked_at] if outcome is Outcome.RIGHT and in_time else []
        if len(in_turn) == _IN_TURN:
            return in_turn[0] - began
        if outcome is not Outcome.RIGHT:
            await asyncio.sleep(_PAUSE_S)  # a refused caller waits a little
    return None


_STRIDE = 7
"""Neighbours in time send pictures that are not neighbours in the list."""

_GIVE_UP_S = 30
_IN_TURN = 3
_PROBED_WITHIN_S = 1.0
_PAUSE_S = 0.02

_LOADS: dict[str, Callable[..., Awaitable[dict[str, Any]]]] = {"closed": closed, "open": opened}


async def _done(job: dict[str, Any], specimens: list[Specimen]) -> dict[str, Any]:
    wire = wires.dialled(job.pop("wire"), job.pop("port"))
    load = _LOADS[job.pop("load")]
    began = time.process_time()
    try:
        said = await load(Caller(wire, specimens), **job)
    finally:
        await wire.close()
    return said | {"client_cpu_s": time.process_time() - began}


def main() -> None:
    """Do line after line until there are no more."""
    specimens = answers.read(Path(sys.argv[1]))
    for line in sys.stdin:
        print(json.dumps(asyncio.run(_done(json.loads(line), specimens))), flush=True)


if __name__ == "__main__":
    main()
