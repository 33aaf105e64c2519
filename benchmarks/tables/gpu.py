"""Pictures through a graphics card, by batch size."""

from benchmarks.tables.sources import result_of, table, where


def rendered() -> str:
    """Return the table of the committed result."""
    result = result_of("gpu")
    rows = [
        {"batch": size, **{f"{name}, pictures/s": f"{n:.0f}" for name, n in figures.items()}}
        for size, figures in result["pictures_a_second"].items()
    ]
    source = (
        f"Whole pipeline on {result['execution_provider']}: {result['end_to_end_per_s']:.0f} "
        f"pictures/s, {result['end_to_end_to_bare']:.2f} of the bare loop's best. Decoding takes "
        f"{result['decode_ms']:.1f} ms a picture, {result['decode_share_of_cores']:.0%} of all "
        f"cores' time. On {where(result)}. Made by `python -m benchmarks.gpu`."
    )
    return table(rows, source)
