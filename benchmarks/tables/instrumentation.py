"""What metrics cost."""

from benchmarks.tables import aims
from benchmarks.tables.aims import Aim
from benchmarks.tables.sources import result_of, table, where


def rendered() -> str:
    """Return the table of the committed result."""
    result = result_of("instrumentation")
    per_s = result["pictures_a_second"]
    rows = [
        {
            "with metrics to without": word,
            "median": f"{result[key]['median']:.3f}",
            "quartiles": f"{result[key]['low']:.3f} to {result[key]['high']:.3f}",
        }
        for word, key in (("throughput", "throughput_ratio"), ("CPU a picture", "cpu_ratio"))
    ]
    source = (
        f"{per_s['on']:.1f} pictures/s with and {per_s['off']:.1f} without, {result['rounds']} "
        f"turns of {result['pictures_a_turn']} pictures each, on {where(result)}. Made by "
        f"`python -m benchmarks.instrumentation`."
    )
    kept = result["throughput_ratio"]["median"]
    return table(rows, source) + aims.rendered(
        Aim("Throughput with metrics to without", kept, 0.99, is_floor=True, digits=3)
    )
