"""How long answers take while many people work."""

from typing import Any

from benchmarks.tables.sources import result_of, table, where


def rendered() -> str:
    """Return the table of the committed result."""
    result = result_of("hospital")
    rows = [
        {"database": database, "people": str(load["people"]), **_row(kind)}
        for database, loads in result["databases"].items()
        for load in loads
        for kind in load["kinds"]
    ]
    busy = "; ".join(
        f"{database}, {load['people']}: {_busy(load['cores_busy'])}"
        for database, loads in result["databases"].items()
        for load in loads
    )
    source = (
        f"{result['seconds']} s with all of them, one thing each every four seconds. Lines that "
        'end in "refused" were turned away for load, with Retry-After. Cores busy by '
        f"database and people: {busy}. On {where(result)}. Made by `python -m benchmarks.hospital`."
    )
    return table(rows, source)


def _row(kind: dict[str, Any]) -> dict[str, str]:
    return {
        "request": f"`{kind['request']}`",
        "a second": f"{kind['a_second']:.1f}",
        "failed": str(kind["failed"]),
        "p50": f"{kind['p50_ms']:.0f} ms",
        "p95": f"{kind['p95_ms']:.0f} ms",
        "p99": f"{kind['p99_ms']:.0f} ms",
    }


def _busy(cores: dict[str, float]) -> str:
    return ", ".join(f"{name} {share:.2f}" for name, share in cores.items())
