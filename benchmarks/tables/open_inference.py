"""The Open Inference Protocol, measured by a client that is not ours."""

from benchmarks.tables.sources import result_of, table, where


def rendered() -> str:
    """Return the table of the committed result."""
    result = result_of("open_inference")
    rows = [
        {
            "model": row["model"],
            "concurrent": str(row["concurrency"]),
            "rows/s": f"{row['rows_a_second']:.0f}",
            "to bare loop": f"{row['throughput_to_bare']:.2f}",
            "p50": f"{row['p50_ms']:.1f} ms",
            "p99": f"{row['p99_ms']:.1f} ms",
            "of it waiting": f"{row['queue_ms']:.1f} ms",
            "running": f"{row['run_ms']:.1f} ms",
        }
        for row in result["rows"]
    ]
    source = (
        f"perf_analyzer {result['perf_analyzer']}, one row a request, the client on the same "
        f"{where(result)}. Waiting and running are means, from the service's own statistics. Made "
        f"by `python -m benchmarks.open_inference`."
    )
    return table(rows, source)
