"""How heavy pages are, and how soon they can be used."""

from typing import Any

from benchmarks.tables.sources import result_of, table, where


def rendered() -> str:
    """Return the table of the committed result."""
    result = result_of("pages")
    rows = [
        _row(name, when, figures)
        for name, looks in result["pages"].items()
        for when, figures in looks.items()
    ]
    screen = result["screen"]
    source = (
        f"Chromium {result['browser']}, {screen['width']} x {screen['height']}, on the machine of "
        "the services, which have the published models; "
        f"{result['rounds']} times each, by a browser that has nothing yet and once more by the "
        "same. Transferred is what came over the wire, heads included; a page is interactive when "
        "its scripts have run, loaded when its pictures are there, median and worst. On "
        f"{where(result)}. Made by `python -m benchmarks.pages`."
    )
    return table(rows, source)


def _row(name: str, when: str, figures: dict[str, Any]) -> dict[str, str]:
    return {
        "page": name,
        "opened": when,
        "transferred": f"{figures['transferred'] / 1000:.1f} kB",
        "requests": str(figures["requests"]),
        "interactive": _times(figures["interactive_ms"]),
        "loaded": _times(figures["loaded_ms"]),
    }


def _times(spread: dict[str, float]) -> str:
    return f"{spread['median']:.0f} ms (worst {spread['worst']:.0f})"
