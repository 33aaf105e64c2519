"""Model cards: words written once, numbers taken from ``evaluation.json``.

No figure stands in this package. What a card says in numbers, it reads from
the evaluation, so a card cannot say more than was measured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from weights.card import classifier, explanation, failures, groups, model, refusals, segmenter
from weights.card.markdown import bullets
from weights.card.words import DATA, LICENSE, LIMITS, OUT_OF_SCOPE, USE

if TYPE_CHECKING:
    from weights.card.markdown import Json


def render(evaluation: Json) -> str:
    """Write the model card of one evaluation, in Markdown."""
    about, results = evaluation["model"], evaluation["results"]
    measured = _classifier if about["name"] == "classifier" else _segmenter
    sections = {
        "The file": model.file(evaluation),
        "Intended use": USE[about["name"]],
        "Out of scope": bullets(OUT_OF_SCOPE),
        **measured(evaluation),
        **({"Variants": model.variants(results["variants"])} if "variants" in results else {}),
        "Speed": model.speed(evaluation),
        "Input": model.expected_input(about),
        "Training data": f"{about['training_data']}\n\n{bullets(DATA)}",
        "Limits": bullets(LIMITS),
        "Licence": LICENSE,
        "How the figures were made": model.made(evaluation),
    }
    title = (
        f"# {about['name']} {about['version']}\n\n{about['architecture']}. **{about['notice']}**\n"
    )
    return "\n".join([title, *[f"## {head}\n\n{text}\n" for head, text in sections.items()]])


def _classifier(evaluation: Json) -> dict[str, str]:
    results = evaluation["results"]
    return {
        "Figures": classifier.figures(results),
        "Operating points": classifier.operating_points(evaluation),
        "Calibration": classifier.calibration(evaluation),
        "By age, sex, site and confirmation": groups.figures(results["groups"]),
        "Cannot assess": refusals.figures(evaluation),
        "Known failures": failures.of_labels(results["failures"]),
        "Does the explanation explain?": explanation.deletion(results["deletion"]),
    }


def _segmenter(evaluation: Json) -> dict[str, str]:
    results = evaluation["results"]
    return {
        "Figures": segmenter.figures(results),
        "Distribution": segmenter.distribution(results),
        "By label": segmenter.by_label(results["product"]),
        "Known failures": failures.of_outlines(results["failures"]),
    }
