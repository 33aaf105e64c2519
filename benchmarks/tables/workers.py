"""What a second worker adds."""

from typing import Any

from benchmarks.tables.sources import result_of, table, where


def rendered() -> str:
    """Return the table of the committed result."""
    result = result_of("workers")
    rows = [
        _row(database, kind, count, figures)
        for database, kinds in result["databases"].items()
        for kind, counts in kinds.items()
        for count, figures in counts.items()
    ]
    share = result["share_of_a_core"]
    bound = f"Each worker had {share:g} of a core and no more. " if share else ""
    source = (
        f"{result['callers']} callers a worker, each asking again as soon as it is answered; "
        f"{result['rounds']} turns of {result['seconds']:g} s of each kind, one worker and two in "
        'turns, medians; so is "to one worker", of what each turn was to the one beside it. CPU '
        "is processor time a request; the last column is what gateway, database and callers kept "
        f"busy together. {bound}On {where(result)}. Made by `python -m benchmarks.workers`."
    )
    return table(rows, source)


def _row(database: str, kind: str, count: str, figures: dict[str, Any]) -> dict[str, str]:
    return {
        "database": database,
        "request": kind,
        "workers": count,
        "requests/s": f"{figures['requests_a_second']:.0f}",
        "to one worker": f"{figures['to_one_worker']:.2f}",
        "p50": f"{figures['p50_ms']:.1f} ms",
        "CPU of the gateway": f"{figures['cpu_ms']:.2f} ms",
        "of the database": f"{figures['database_cpu_ms']:.2f} ms",
        "of the callers": f"{figures['callers_cpu_ms']:.2f} ms",
        "cores busy": f"{figures['cores_busy']:.2f}",
    }
