"""Where a model went most wrong, by the names of the pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weights.card.markdown import number, paragraphs, table
from weights.card.words import TITLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from weights.card.markdown import Json

LOOK_UP = (
    "Names are those of the ISIC archive, where every picture can be looked at. Of each lesion "
    "only the worst picture is named."
)


def of_labels(failures: Mapping[str, Sequence[Json]]) -> str:
    """Write the most confident wrong answers of a classifier."""
    return paragraphs(
        f"Fold 4. {LOOK_UP}",
        "Melanomas with the lowest malignant probability:",
        _answers(failures["melanomas"]),
        "Benign lesions with the highest:",
        _answers(failures["benign"]),
        "Wrong labels that were given most surely:",
        _answers(failures["labels"]),
    )


def _answers(answers: Sequence[Json]) -> str:
    rows = [
        [
            answer["picture"],
            answer["diagnosis"],
            f"{answer['label']} {number(answer['probability'])}",
            number(answer["malignant_probability"]),
        ]
        for answer in answers
    ]
    return table(["Picture", "Diagnosis", "Most probable label", "Malignant probability"], rows)


def of_outlines(failures: Mapping[str, Sequence[Json]]) -> str:
    """Write the worst outlines of a segmenter."""
    parts = [
        paragraphs(
            f"Least overlap of the shown outline with the drawn one, {TITLES[split]}:",
            table(
                ["Picture", "Diagnosis", "Jaccard"],
                [[of["picture"], of["diagnosis"], number(of["jaccard"])] for of in outlines],
            ),
        )
        for split, outlines in failures.items()
    ]
    return paragraphs(LOOK_UP, *parts)
