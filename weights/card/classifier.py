"""How well a classifier tells lesions apart, and how honest its probabilities are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weights.card.markdown import (
    diagram,
    measured,
    paragraphs,
    series,
    splits,
    table,
)

if TYPE_CHECKING:
    from weights.card.markdown import Json

KEYS = (
    "balanced_accuracy",
    "accuracy",
    "macro_auc",
    "expected_calibration_error",
    "malignant_calibration_error",
    "malignant_brier_score",
    "negative_log_likelihood",
)


def figures(results: Json) -> str:
    """Write the figures of all splits, of each label, and the confusion matrix."""
    return paragraphs(
        splits(results, KEYS),
        "Each label against the rest, fold 4, the most probable label taken:",
        _labels(results["report_fold"]),
        diagram(results, "confusion.svg"),
        diagram(results, "roc.svg"),
        _crops(results["center_crops"]),
    )


def _labels(report: Json) -> str:
    keys = ("sensitivity", "specificity", "auc")
    rows = [
        [label, of["pictures"], *[measured(of[key]) for key in keys]]
        for label, of in report["labels"].items()
    ]
    return table(["Label", "Pictures", "Sensitivity", "Specificity", "AUC"], rows)


def _crops(crops: Json) -> str:
    vasc = crops["labels"]["vasc"]
    return (
        f"Centre crops of fold 4 ({crops['pictures']} pictures, all labels processed alike): "
        f"balanced accuracy {measured(crops['balanced_accuracy'])}; vasc sensitivity "
        f"{measured(vasc['sensitivity'])} on {vasc['pictures']} pictures."
    )


def operating_points(evaluation: Json) -> str:
    """Write the figures of ``suspicious`` and of melanoma, on fold 4."""
    model, report = evaluation["model"], evaluation["results"]["report_fold"]
    return paragraphs(
        f"`suspicious` means akiec + bcc + mel ≥ {model['suspicious_threshold']}, a threshold "
        f"chosen on fold 3. On fold 4: {series(report['suspicious'])}.",
        _melanoma_point(model, report),
        f"Melanoma as the most probable label, fold 4: {series(report['melanoma'])}.",
        "Precision is the share of flagged pictures that are what they were flagged for. It "
        "holds where malignant lesions are as common as in HAM10000, which is a collection from "
        "specialists: elsewhere they are rarer, and precision is lower.",
    )


def _melanoma_point(model: Json, report: Json) -> str:
    if "melanoma_point" not in report:
        return ""
    return (
        f"The melanoma operating point is mel ≥ {model['melanoma_threshold']}, chosen on fold 3. "
        f"On fold 4: {series(report['melanoma_point'])}."
    )


def calibration(evaluation: Json) -> str:
    """Show how often what was probable came true."""
    temperature = evaluation["model"].get("temperature")
    return paragraphs(
        diagram(evaluation["results"], "reliability.svg"),
        "Fold 4 in 15 bins of equal width; a point's size tells how many pictures it stands for, "
        "its line the 95 % interval. On the dotted line, what is said with 70 % happens in 70 of "
        "100 pictures.",
        f"Temperature: {temperature}, chosen on fold 3." if temperature else "",
    )
