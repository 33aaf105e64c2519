"""How well a segmenter outlines lesions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weights.card.markdown import diagram, measured, number, paragraphs, splits, table
from weights.card.words import TITLES

if TYPE_CHECKING:
    from weights.card.markdown import Json

KEYS = ("mean_dice", "mean_jaccard", "thresholded_jaccard", "share_below_threshold")
SPREAD = ("mean_jaccard", "thresholded_jaccard", "share_below_threshold")


def figures(results: Json) -> str:
    """Write the figures of the outline that people are shown, and of the mask before it."""
    product = results["product"]
    missing = ", ".join(f"{TITLES[s]} {product[s]['without_outline']}" for s in product)
    return paragraphs(
        "**The outline that people are shown**: the largest region of the mask, holes filled, as "
        "`dermserve analyze` draws it.",
        splits(product, KEYS),
        f"Pictures without an outline count with an empty one; there are: {missing}.",
        "**The model's mask alone**, enlarged to the size of the drawn one and cut at one half:",
        splits(results, KEYS),
        "Masks are compared at the size they were drawn in. Masks that cover nearly the whole "
        "frame are left out of HAM10000.",
    )


def distribution(results: Json) -> str:
    """Write percentiles of the Jaccard index, and show them."""
    product = results["product"]
    percents = list(next(iter(product.values()))["jaccard_percentiles"])
    rows = [
        [TITLES[split], *[number(of["jaccard_percentiles"][p]) for p in percents]]
        for split, of in product.items()
    ]
    return paragraphs(
        "An average hides the failures. So many percent of pictures have a Jaccard index of at "
        "most (the outline that people are shown):",
        table(["Percent", *percents], rows),
        diagram(results, "jaccard.svg"),
    )


def by_label(product: Json) -> str:
    """Write the figures of every label, in one table a split."""
    return paragraphs(*[_labels(TITLES[split], of["labels"]) for split, of in product.items()])


def _labels(title: str, labels: Json) -> str:
    rows = [
        [label, of["pictures"], *[measured(of[key]) for key in SPREAD]]
        for label, of in labels.items()
    ]
    header = [title, "Pictures", "Mean Jaccard", "Thresholded Jaccard", "Share below 0.65"]
    return table(header, rows)
