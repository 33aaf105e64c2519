"""How a card writes figures, tables and lists in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from weights.card.words import NAMES, SPLITS

Json = Mapping[str, Any]

NOT_DEFINED = "-"


def number(value: float | None) -> str:
    """Write a figure with three decimals, as every table does."""
    return NOT_DEFINED if value is None else f"{value:.3f}"


def measured(figure: Mapping[str, float | None]) -> str:
    """Write a figure with its interval: ``0.750 (0.720-0.780)``."""
    if figure["value"] is None:
        return NOT_DEFINED
    low, high = (number(figure[end]) for end in ("low", "high"))
    between = " to " if low.startswith("-") else "-"  # a hyphen would read as a second minus
    return f"{number(figure['value'])} ({low}{between}{high})"


def table(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Write a Markdown table."""
    titles = list(header)
    lines = [titles, ["---"] * len(titles), *[[str(cell) for cell in row] for row in rows]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def bullets(sentences: Iterable[str]) -> str:
    """Write a Markdown list."""
    return "\n".join(f"- {sentence}" for sentence in sentences)


def paragraphs(*parts: str) -> str:
    """Put parts below each other; empty ones vanish."""
    return "\n\n".join(part for part in parts if part)


def series(figures: Mapping[str, Mapping[str, float | None]]) -> str:
    """Write named figures one after the other, as part of a sentence."""
    return "; ".join(f"{NAMES[key]} {measured(figure)}" for key, figure in figures.items())


def counts(numbers: Mapping[str, int]) -> str:
    """Write what was counted: ``blurred 3, no lesion 1``; a dash for nothing."""
    return ", ".join(f"{name.replace('_', ' ')} {n}" for name, n in numbers.items()) or NOT_DEFINED


def splits(results: Json, keys: Iterable[str]) -> str:
    """Write one column a split that ``results`` has, one row a figure, with intervals."""
    present = [split for split in SPLITS if split in results]
    header = ["95 % intervals: bootstrap by lesion", *[SPLITS[split] for split in present]]
    sizes = ["Pictures / lesions"]
    sizes += [f"{results[s]['pictures']} / {results[s]['lesions']}" for s in present]
    rows = [[NAMES[key], *[measured(results[s][key]) for s in present]] for key in keys]
    return table(header, [sizes, *rows])


def diagram(results: Json, file: str) -> str:
    """Show one of the diagrams beside the card."""
    return f"![{results['diagrams'][file]}]({file})"
