"""From what the client kept to the figures of a result. Pure functions."""

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

Said = Mapping[str, Any]
"""What the client said of one run, with ``cpu_s`` of the server's processes beside it."""


def quantile(values: Sequence[float], share: float) -> float:
    """Return the least value that at least ``share`` of the values do not exceed.

    Raises:
        ValueError: there are no values.

    """
    if not values:
        raise ValueError("no values have no quantile")
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def closed(runs: Sequence[Said]) -> dict[str, float | int | None]:
    """Return the figures of several closed-loop runs with the same number of clients.

    Throughput is the median of the runs', latencies are of all their right answers together.
    Processor time counts every picture that was answered, the client's stands beside it.
    """
    seconds = [each for run in runs for each in run["seconds"]["right"]]
    outcomes = _outcomes(runs)
    answers = outcomes["right"] + outcomes["wrong"]
    return {
        "pictures_a_second": round(
            statistics.median(run["outcomes"].get("right", 0) / run["elapsed_s"] for run in runs), 2
        ),
        "p50_ms": _ms(seconds, 0.5),
        "p99_ms": _ms(seconds, 0.99),
        "cpu_ms_a_picture": _each(runs, "cpu_s", answers),
        "client_cpu_ms_a_picture": _each(runs, "client_cpu_s", answers),
        **outcomes,
    }


def overload(run: Said, rate: float, capacity: float) -> dict[str, float | int | None]:
    """Return the figures of one open-loop run.

    Args:
        run: what the client said.
        rate: pictures sent a second.
        capacity: pictures a second that the server answered in a closed loop.

    """
    outcomes = _outcomes([run])
    seconds = run["seconds"]
    goodput = outcomes["right"] / run["elapsed_s"]
    return {
        "offered_a_second": round(rate, 1),
        "goodput_a_second": round(goodput, 2),
        "goodput_to_capacity": round(goodput / capacity, 3),
        "p99_ms": _ms(seconds["right"], 0.99),
        "refusal_p50_ms": _ms(seconds["refused"], 0.5),
        "recovered_s": None if run["recovered_s"] is None else round(run["recovered_s"], 2),
        "cpu_ms_a_right_answer": _each([run], "cpu_s", outcomes["right"]),
        **outcomes,
    }


def _outcomes(runs: Sequence[Said]) -> dict[str, int]:
    names = ("right", "wrong", "refused", "timed_out", "failed")
    return {name: sum(run["outcomes"].get(name, 0) for run in runs) for name in names}


def _ms(seconds: Sequence[float], share: float) -> float | None:
    return round(quantile(seconds, share) * 1000, 2) if seconds else None


def _each(runs: Sequence[Said], key: str, answers: int) -> float | None:
    return round(sum(run[key] for run in runs) * 1000 / answers, 2) if answers else None
