"""Whether the explanation points at what the answer rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weights.card.markdown import measured, number, paragraphs, table

if TYPE_CHECKING:
    from weights.card.markdown import Json

NAMES = {
    "moved": "the map's own region, turned, mirrored and shifted at random",
    "random": "a region from a map of random numbers",
    "center": "a disc in the middle of the picture",
}


def deletion(results: Json) -> str:
    """Write the deletion test."""
    rows = [["where the map is highest", measured(results["map"]["drop"]), "", ""]]
    rows += [
        [
            NAMES[name],
            *[measured(control[key]) for key in ("drop", "difference", "map_drops_more")],
        ]
        for name, control in results["controls"].items()
    ]
    header = [
        "Painted over",
        "Drop of the label's probability",
        "Map less this",
        "Share of pictures in which the map's drop is the larger",
    ]
    return paragraphs(
        f"The deletion test over all {results['pictures']} pictures of fold 4: "
        f"{number(results['share_deleted'])} of each picture is painted over in the color of its "
        "skin (the median of its lighter half), with soft edges, and the label's probability is "
        "asked again. If the class activation map shows what the answer rests on, painting over "
        "its highest part costs more than painting over as much elsewhere.",
        table(header, rows),
        _verdict(results["controls"]),
        "The disc is the sternest comparison: lesions lie in the middle, and a map could beat the "
        "other two by knowing nothing else.",
    )


def _verdict(controls: Json) -> str:
    """Say which comparisons the map wins by more than chance."""
    lost = [NAMES[name] for name, of in controls.items() if not of["difference"]["low"] > 0]
    if not lost:
        return "The map's drop is larger than each of the others by more than chance."
    return f"It is not shown that the map's drop is larger than that of {' or '.join(lost)}."
