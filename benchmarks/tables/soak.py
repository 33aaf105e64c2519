"""What a long run of mixed requests leaves behind."""

from benchmarks.tables import aims
from benchmarks.tables.aims import Aim
from benchmarks.tables.sources import result_of, table, where


def rendered() -> str:
    """Return the table of the committed result."""
    result = result_of("soak")
    names = {"resident_mb": "resident memory, MB", "open_files": "open files", "threads": "threads"}
    rows = [
        {
            "median of the window": name,
            "early": f"{result['early'][key]:g}",
            "late": f"{result['late'][key]:g}",
        }
        for key, name in names.items()
    ]
    source = (
        f"{result['requests']:,} requests in {result['seconds']} s, models {result['models']}, "
        f"{result['surprised']} answered otherwise than they must be. Memory grew by "
        f"{result['resident_growth']:.1%} from the second to the last quarter of the run."
    )
    made = f"On {where(result)}. Made by `python -m benchmarks.soak`."
    return table(rows, f"{source} {made}") + aims.rendered(
        Aim("Growth of memory", 100 * result["resident_growth"], 2, unit=" %", digits=1)
    )
