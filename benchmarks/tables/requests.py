"""What each kind of request costs the gateway."""

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
        "is the gateway's processor time a request, the median of the turns. An analysis costs it "
        f"{result['upload_above_its_own_cpu_ms']:.1f} ms above the upload's own. On "
        f"{where(result)}. Made by `python -m benchmarks.requests`."
    )
    return table(rows, source)
