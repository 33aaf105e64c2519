"""How long lists take where much is kept."""

from typing import Any

from benchmarks.tables import aims
from benchmarks.tables.aims import Aim
from benchmarks.tables.sources import result_of, table, where


def rendered() -> str:
    """Return the table of the committed result."""
    result = result_of("records")
    rows = [
        {
            "list": name,
            "items": str(found["items"]),
            "p50": f"{found['p50_ms']:.1f} ms",
            "p95": f"{found['p95_ms']:.1f} ms",
            "by": ", ".join(f"`{index}`" for index in found["indexes"]) or "-",
            "rows read": str(found["rows_read"]),
            "read from end to end": ", ".join(found["read_through"]) or "nothing",
        }
        for name, found in result["lists"].items()
    ]
    source = (
        f"{result['rows']:,} analyses of {result['organisations']} organisations, "
        f"{result['rows_of_the_organisation']:,} of the caller's and "
        f"{result['rows_of_the_caller']:,} their own; {result['rounds']} requests a list, at most "
        f"{result['items_a_list']} items each. On {where(result)}. Made by "
        "`python -m benchmarks.records`."
    )
    return table(rows, source) + aims.rendered(*_aims(result["lists"]))


def _aims(lists: dict[str, Any]) -> list[Aim]:
    first = max(found["p95_ms"] for name, found in lists.items() if name.startswith("first page"))
    slowest = max(found["p95_ms"] for found in lists.values())
    return [
        Aim("The first page, p95", first, 50, unit=" ms", digits=1),
        Aim("The slowest of all lists, p95", slowest, 100, unit=" ms", digits=1),
    ]
