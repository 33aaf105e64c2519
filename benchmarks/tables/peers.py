"""Other model servers beside this one."""

from benchmarks.peers import table
from benchmarks.tables.sources import result_of


def rendered() -> str:
    """Return the table of the committed result."""
    return table.rendered(result_of("peers"))
