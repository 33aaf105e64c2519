"""What reports cost."""

from benchmarks.tables.sources import result_of, table, where


def rendered() -> str:
    """Return the table of the committed result."""
    result = result_of("reports")
    rows = [
        {
            "report": name,
            "pages": str(kind["pages"]),
            "p50": f"{kind['p50_ms']:.0f} ms",
            "p95": f"{kind['p95_ms']:.0f} ms",
            "CPU a report": f"{kind['cpu_ms']:.0f} ms",
        }
        for name, kind in result["kinds"].items()
    ]
    memory = result["memory"]
    source = (
        f"Over gRPC ({result['picture']}), the service bound to one core and with "
        f"{result['renderers']} renderers, in turns in one run of `python -m benchmarks.reports` "
        f"on {where(result)}. Resident memory: {memory['idle_mb']:.0f} MB once every kind was "
        f"made; at most {memory['at_once_peak_mb']:.0f} MB with {memory['at_once']} reports asked "
        f"for at once, and {memory['rows_peak_mb']:.0f} MB with a batch of {memory['rows']:,} rows."
    )
    return table(rows, source)
