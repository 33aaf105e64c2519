"""What broken messages are answered with."""

from benchmarks.tables.sources import result_of, table, where


def rendered() -> str:
    """Return the table of the committed result."""
    result = result_of("fuzz")
    codes = sorted({code for counts in result["statuses"].values() for code in counts})
    rows = [
        {"method": method, **{code: str(counts.get(code, 0)) for code in codes}}
        for method, counts in result["statuses"].items()
    ]
    memory = result["resident_mb"]
    source = (
        f"{result['messages']:,} messages from seed {result['seed']}, {result['unclean']} answered "
        f"with another status; the service then answered right. Resident memory: "
        f"{memory['warm']:.0f} MB after a fifth of them, {memory['at the end']:.0f} MB at the end. "
        f"On {where(result)}. Made by `python -m benchmarks.fuzz`."
    )
    return table(rows, source)
