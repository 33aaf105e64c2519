"""Pictures through a graphics card, by precision and batch size."""

from collections.abc import Mapping
from typing import Any

from benchmarks.tables import aims
from benchmarks.tables.aims import Aim
from benchmarks.tables.sources import result_of, table, where


def rendered() -> str:
    """Return the table of the committed result."""
    result = result_of("gpu")
    precisions: Mapping[str, Any] = result["precisions"]
    by_batch = [
        (precision, size, figures)
        for precision, found in precisions.items()
        for size, figures in found["pictures_a_second"].items()
    ]
    roads = list(dict.fromkeys(name for *_, figures in by_batch for name in figures))
    rows = [
        {
            "precision": precision,
            "batch": size,
            **{
                f"{name}, pictures/s": f"{figures[name]:.0f}" if name in figures else "-"
                for name in roads
            },
        }
        for precision, size, figures in by_batch
    ]
    whole = [_whole(precision, found) for precision, found in precisions.items()]
    made = f"On {where(result)}. Made by `python -m benchmarks.gpu`."
    return table(rows, " ".join([*whole, *_not_run(result), made])) + aims.rendered(
        *(
            Aim(
                f"Whole pipeline in {precision} to the bare loop's best",
                to_bare,
                0.9,
                is_floor=True,
            )
            for precision, found in precisions.items()
            if (to_bare := found["end_to_end_to_bare"])
        )
    )


def _whole(precision: str, found: Mapping[str, Any]) -> str:
    to_bare = found["end_to_end_to_bare"]
    share = f", {to_bare:.2f} of the bare loop's best" if to_bare else ""
    return (
        f"Whole pipeline on {found['execution_provider']} in {precision}: "
        f"{found['end_to_end_per_s']:.0f} pictures/s{share}. "
        f"Decoding takes {found['decode_ms']:.1f} ms a picture, "
        f"{found['decode_share_of_cores']:.0%} of all cores' time."
    )


def _not_run(result: Mapping[str, Any]) -> list[str]:
    reasons = dict(result["not_run"])
    for precision, found in result["precisions"].items():
        reasons |= {f"{name} in {precision}": why for name, why in found["not_run"].items()}
    return [f"Not run: {name} ({why})." for name, why in reasons.items()]
