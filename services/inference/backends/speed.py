"""How many pictures a second the hardware gets done, measured for a moment, and what wins by it."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

LEAD = 1.1
"""So many times faster a candidate must be than the simpler ones before it."""

_ROUNDS = 5
_FEWEST_ROUNDS = 3
_PATIENCE_S = 2.0


@dataclass(frozen=True, slots=True)
class Contender:
    """What is to be timed.

    Attributes:
        work: does some pictures.
        pictures: how many.
        runs: how many threads work at the same time.

    """

    work: Callable[[], object]
    pictures: int = 1
    runs: int = 1


def pictures_a_second(contenders: Sequence[Contender]) -> list[float | None]:
    """Let contenders work in turns, so that what else the machine does slows all alike.

    What disturbs a turn only ever makes it slower, so the best turn of each counts.

    Returns:
        For each the pictures a second; None for all when the machine is so busy with other
        things that two seconds are not enough to tell.

    """
    turns: list[list[float]] = [[] for _ in contenders]
    began = time.perf_counter()
    with ThreadPoolExecutor(max(each.runs for each in contenders)) as threads:
        for done in range(_ROUNDS):
            if time.perf_counter() - began > _PATIENCE_S:
                return [max(own) if done >= _FEWEST_ROUNDS else None for own in turns]
            for contender, own in zip(contenders, turns, strict=True):
                own.append(_turn(contender, threads))
    return [max(own) for own in turns]


def _turn(contender: Contender, threads: ThreadPoolExecutor) -> float:
    began = time.perf_counter()
    for run in [threads.submit(contender.work) for _ in range(contender.runs)]:
        run.result()
    return contender.pictures * contender.runs / (time.perf_counter() - began)
