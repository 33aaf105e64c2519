"""What callers notice of models that change."""

from benchmarks.tables.sources import result_of, table, where


def rendered() -> str:
    """Return the table of the committed result."""
    result = result_of("swap")
    rows = [
        {
            "models": name,
            "swaps": str(turns["swaps"]),
            "pictures": str(turns["pictures"]),
            "failed": str(turns["failed"]),
            "p50": f"{turns['p50_ms']:.1f} ms",
            "p99": f"{turns['p99_ms']:.1f} ms",
            "p50 to as it is": f"{turns['p50_to_steady']:.2f}",
            "p99 to as it is": f"{turns['p99_to_steady']:.2f}",
        }
        for name, turns in result["turns"].items()
    ]
    source = (
        f"{result['rate']:.0f} pictures a second ({result['picture']}), half of what it can do, at "
        f"a constant rate, in turns in one run of `python -m benchmarks.swap` on {where(result)}."
    )
    return table(rows, source)
