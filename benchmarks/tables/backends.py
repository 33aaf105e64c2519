"""Backends beside the reference."""

from benchmarks.tables.sources import result_of, table, where


def rendered() -> str:
    """Return the table of the committed result."""
    result = result_of("backends")
    rows = [
        {
            "through": unit,
            "backend": backend,
            "alone, pictures/s": f"{found['alone']['pictures_a_second']:.0f}",
            "to cpu fp32": f"{found['alone']['to_reference']:.2f}",
            "side by side, pictures/s": f"{found['side_by_side']['pictures_a_second']:.0f}",
            "to cpu fp32 ": f"{found['side_by_side']['to_reference']:.2f}",
            "largest difference": ", ".join(
                f"{name} {difference:g}"
                for name, difference in result["differences"].get(unit, {}).get(backend, {}).items()
                if name in {"mask", "probabilities", "novelty"}
            ),
        }
        for unit, backends in result["candidates"].items()
        for backend, found in backends.items()
    ]
    elected = result["elected"]
    source = (
        f"{result['pictures_a_candidate']} pictures each, in turns, {result['runs_side_by_side']} "
        f"runs side by side. The service then chose {elected['segmenter']} for the segmenter and "
        f"{elected['classifier']} for the classifier, {elected['layout']}, in "
        f"{elected['seconds']:.1f} s. Not here: {', '.join(result['not_here'])}. "
        f"On {where(result)}. Made by `python -m benchmarks.backends`."
    )
    return table(rows, source)
