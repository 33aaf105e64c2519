"""What Schemathesis found."""

from benchmarks.tables.sources import result_of, table, where


def rendered() -> str:
    """Return the table of the committed result."""
    result = result_of("schemathesis")
    rows = [
        {
            "asked by": run["user"],
            "on": run["database"],
            "for": f"{run['seconds']} s",
            "operations": str(run["operations"]),
            "requests": f"{run['requests']:,}",
            "faults": str(sum(each["count"] for each in run["failures"]) + len(run["errors"])),
        }
        for run in result["runs"]
    ]
    versions = ", ".join(sorted({run["schemathesis"] for run in result["runs"]}))
    source = (
        f"Schemathesis {versions}, all checks, seed {result['seed']}, tiny models. "
        f"On {where(result)}. Made by `python -m benchmarks.schemathesis`."
    )
    return table(rows, source)
