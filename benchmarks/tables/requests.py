"""What each kind of request costs the gateway."""

from benchmarks.tables import aims
from benchmarks.tables.aims import Aim
from benchmarks.tables.sources import result_of, table, where


def rendered() -> str:
    """Return the table of the committed result."""
    result = result_of("requests")
    rows = [
        {"request": name, "CPU": f"{kind['cpu_ms']:.1f} ms", "p50": f"{kind['p50_ms']:.1f} ms"}
        for name, kind in result["kinds"].items()
    ]
    source = (
        f"{result['requests']} requests of each kind, one by one, in {result['rounds']} turns; CPU "
        "is the gateway's processor time a request, the median of the turns. On "
        f"{where(result)}. Made by `python -m benchmarks.requests`."
    )
    own = Aim(
        "An analysis, CPU above the upload's own",
        result["upload_above_its_own_cpu_ms"],
        3,
        unit=" ms",
        digits=1,
    )
    return table(rows, source) + aims.rendered(own)
