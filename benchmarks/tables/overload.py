"""What becomes of a service of which more is asked than it can do."""

from collections.abc import Mapping
from typing import Any

from benchmarks.tables import aims
from benchmarks.tables.aims import Aim
from benchmarks.tables.sources import result_of, table, where

_MS: dict[str, Any] = {"unit": " ms", "digits": 0}


def rendered() -> str:
    """Return the table of the committed result."""
    result = result_of("overload")
    rows = [
        {
            "load": f"{step['load']:g} x",
            "asked/s": f"{step['asked_per_s']:.0f}",
            "goodput/s": f"{step['goodput_per_s']:.0f}",
            "of peak": f"{step['goodput_to_peak']:.2f}",
            "answered, p50 and p99": _two_ms(step["answered_ms"]),
            "refused": str(step["statuses"].get("RESOURCE_EXHAUSTED", 0)),
            "refused, p50 and p99": _two_ms(step["refused_ms"]),
            "ran for nobody": str(step["ran_for_nobody"]),
            "memory": "{} to {} MB".format(*step["resident_mb"]),
            "client's CPU": f"{step['client_cpu_share']:.0%}",
        }
        for step in result["steps"]
    ]
    cores = result["cores"]
    apart = result["machine"]["cores"] > 1
    worked = f"service on {cores['service']} and client on another" if apart else "both on the one"
    source = (
        f"Capacity {result['capacity_per_s']:.0f} pictures/s; {result['seconds_a_load']:g} s a "
        f"load in {result['turns']} turns, deadline {result['deadline_ms']:g} ms, "
        f"{result['picture']}; {worked} of {where(result)}. Models "
        f"ran on {', '.join(result['ran_on'])}. Made by "
        f"`python -m benchmarks.overload`."
    )
    return table(rows, source) + aims.rendered(*_aims(result))


def _aims(result: Mapping[str, Any]) -> list[Aim]:
    most = max(result["steps"], key=lambda step: step["load"])
    load = f"At {most['load']:g} times its capacity"
    return [
        Aim(f"{load}, goodput to peak", most["goodput_to_peak"], 0.95, is_floor=True, digits=3),
        Aim(f"{load}, p99 of answers", most["answered_ms"]["p99"], result["deadline_ms"], **_MS),
        Aim(f"{load}, refused after, p50", most["refused_ms"]["p50"], 20, **_MS),
        Aim(f"{load}, ran for nobody", most["ran_for_nobody"], 0, digits=0),
    ]


def _two_ms(percentiles: Mapping[str, float | None]) -> str:
    p50, p99 = percentiles["p50"], percentiles["p99"]
    return "-" if p50 is None or p99 is None else f"{p50:.0f}, {p99:.0f} ms"
