"""What each road to an answer costs beyond the bare loop."""

from benchmarks.tables import aims
from benchmarks.tables.aims import Aim
from benchmarks.tables.sources import result_of, table, where

_RATIOS = {"p50": "p50", "throughput": "throughput", "CPU": "cpu"}


def rendered() -> str:
    """Return the table of the committed result."""
    result = result_of("floor")
    rows = [
        {
            "road": name,
            "p50": f"{road['p50_ms']:.1f} ms",
            "p95": f"{road['p95_ms']:.1f} ms",
            "pictures/s": f"{road['pictures_a_second']:.0f}",
            "CPU a picture": f"{road['cpu_ms']:.1f} ms",
            "of its callers": f"{road['callers_cpu_ms']:.1f} ms" if road["callers_cpu_ms"] else "-",
            **{f"{title} to both loops": _to_both(road, key) for title, key in _RATIOS.items()},
        }
        for name, road in result["roads"].items()
    ]
    memory = ", ".join(f"{name} {mb} MB" for name, mb in result["resident_mb"].items())
    ours, loops = (", ".join(result["ran_on"][road]) for road in ("gRPC", "whole answer"))
    differing = "" if ours == loops else f" (the loops differ: {loops})"
    source = (
        f"{result['pictures_a_road']} pictures a road one by one, then full load "
        f"({result['picture']}), in {result['rounds']} turns of one run of "
        f"`python -m benchmarks.floor` on {where(result)}. Ratios: to the bare loop, to the whole "
        f"answer. Models ran on {ours}{differing}. Resident memory afterwards: {memory}. "
        f"Inference is ready {result['inference_ready_s']:.1f} s after its start."
    )
    return table(rows, source) + aims.rendered(*_aims(result["roads"]))


def _aims(roads: dict[str, dict[str, float]]) -> list[Aim]:
    over_grpc, rest = roads["gRPC"], roads["REST"]
    throughput = over_grpc["throughput_to_bare"]
    return [
        Aim("gRPC, p50 to the bare loop", over_grpc["p50_to_bare"], 1.12),
        Aim("gRPC, throughput to the bare loop", throughput, 0.96, is_floor=True),
        Aim("gRPC, CPU to the bare loop", over_grpc["cpu_to_bare"], 1.12, digits=3),
        Aim("REST, CPU to the bare loop", rest["cpu_to_bare"], 1.35),
    ]


def _to_both(road: dict[str, float], figure: str) -> str:
    return f"{road[f'{figure}_to_bare']:.2f}, {road[f'{figure}_to_whole']:.2f}"
