"""For whom a classifier does better or worse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weights.card.markdown import measured, paragraphs, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from weights.card.markdown import Json

TOO_SMALL = "too small"
KEYS = {
    "malignant_auc": "Malignant AUC",
    "sensitivity": "`suspicious` sensitivity",
    "specificity": "`suspicious` specificity",
    "accuracy": "Accuracy",
}


def figures(groups: Json) -> str:
    """Write one table a property, one row a group."""
    fewest, cases = groups["least_pictures"], groups["least_cases"]
    return paragraphs(
        f"Fold 4. A figure that fewer than {fewest} pictures, or fewer than {cases} malignant (or "
        f'benign) ones, would bear is "{TOO_SMALL}" to be given. Groups differ in what they hold '
        "as well as in how the model does on them: sensitivity and specificity can be compared "
        "between groups, accuracy hardly.",
        *[_table(name, rows) for name, rows in groups["by"].items()],
        "Every malignant lesion of HAM10000 was confirmed by histology, most nevi were not: the "
        "row `histo` is the sterner and fairer test, lesions that somebody thought worth a biopsy.",
        "Not evaluated by skin tone: it is not recorded.",
    )


def _table(name: str, groups: Sequence[Json]) -> str:
    rows = [
        [
            group["group"],
            group["pictures"],
            group["malignant"],
            *[measured(group[key]) if group[key] else TOO_SMALL for key in KEYS],
        ]
        for group in groups
    ]
    return table([name.capitalize(), "Pictures", "Malignant", *KEYS.values()], rows)
