"""A card says what its evaluation says, and no more."""

from __future__ import annotations

import pytest

from weights.card import classifier, explanation, groups, markdown, model, refusals


def figure(
    value: float | None, low: float | None = 0.1, high: float | None = 0.9
) -> dict[str, float | None]:
    return {"value": value, "low": low, "high": high}


def test_a_figure_is_written_with_its_interval() -> None:
    assert markdown.measured(figure(0.75, 0.7204, 0.78)) == "0.750 (0.720-0.780)"


def test_an_interval_around_nothing_keeps_its_signs_apart() -> None:
    assert markdown.measured(figure(0.01, -0.02, 0.04)) == "0.010 (-0.020 to 0.040)"


def test_what_is_not_defined_is_a_dash() -> None:
    assert markdown.measured(figure(None, None, None)) == "-"
    assert markdown.number(None) == "-"


def test_counts_are_written_in_words() -> None:
    assert markdown.counts({"no_lesion": 2, "blurred": 1}) == "no lesion 2, blurred 1"
    assert markdown.counts({}) == "-"


def test_a_table_has_a_cell_a_column() -> None:
    assert markdown.table(["a", "b"], [[1, 2]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"


@pytest.mark.parametrize(
    ("low", "high", "says"),
    [
        (0.01, 0.05, "refused more often than nevi"),
        (-0.05, -0.01, "refused less often than nevi"),
        (-0.01, 0.05, "No difference between melanomas and nevi is shown"),
    ],
)
def test_the_difference_of_refusals_is_worded_as_its_interval_allows(
    low: float, high: float, says: str
) -> None:
    nothing = {"pictures": 0, "refused": 0, "reasons": {}, "let_pass": []}
    outcomes = {"refused": 1, "suspicious": 2, "not suspicious": 3}
    label = {"pictures": 6, "refused": figure(0.1), "reasons": {}, "outcomes": outcomes}
    product = {
        "report_fold": {
            "pictures": 6,
            "refused": figure(0.1),
            "reasons": {},
            "labels": {"mel": label},
            "melanoma_minus_nevus": figure((low + high) / 2, low, high),
        },
        "agreement": {"pictures": 0},
        "outsiders": nothing,
        "drawn": {**nothing, "kinds": {}},
    }
    assert says in refusals.figures({"results": {"product": product}, "model": {}})


def test_a_melanoma_operating_point_is_written_when_the_model_declares_one() -> None:
    points = {"sensitivity": figure(0.8), "specificity": figure(0.7)}
    report = {"suspicious": points, "melanoma": points}
    about = {"suspicious_threshold": "0.12", "melanoma_threshold": "0.34"}
    without = {"model": about, "results": {"report_fold": report}}
    declared = {"model": about, "results": {"report_fold": {**report, "melanoma_point": points}}}
    assert "0.34" not in classifier.operating_points(without)
    assert "mel ≥ 0.34, chosen on fold 3" in classifier.operating_points(declared)


def test_a_group_without_a_figure_is_too_small() -> None:
    row = {
        "group": "male",
        "pictures": 9,
        "malignant": 2,
        "malignant_auc": None,
        "sensitivity": None,
        "specificity": None,
        "accuracy": figure(0.5),
    }
    written = groups.figures({"least_pictures": 25, "least_cases": 5, "by": {"sex": [row]}})
    assert "| male | 9 | 2 | too small | too small | too small | 0.500 (0.100-0.900) |" in written
    assert "Not evaluated by skin tone" in written


@pytest.mark.parametrize(
    ("low", "says"),
    [(0.01, "larger than each of the others by more than chance"), (-0.01, "It is not shown")],
)
def test_the_explanation_is_praised_only_where_its_interval_says_so(low: float, says: str) -> None:
    control = {
        "drop": figure(0.1),
        "difference": figure(0.05, low, 0.1),
        "map_drops_more": figure(0.6),
    }
    results = {
        "pictures": 9,
        "share_deleted": 0.2,
        "map": {"drop": figure(0.15)},
        "controls": {"center": control},
    }
    assert says in explanation.deletion(results)


def test_variants_are_listed_with_what_they_cost() -> None:
    variant = {
        "file": "model.int8.onnx",
        "kind": "int8 QDQ",
        "bytes": 3 * 2**20,
        "balanced_accuracy": 0.68,
        "drop": 0.012,
        "median_ms": 6.5,
        "accepted": False,
        "why": "loses more than a point",
    }
    row = (
        "| `model.int8.onnx` | int8 QDQ | 3.0 MiB | 0.680 | 0.012 | 6.50 ms | no "
        "| loses more than a point |"
    )
    assert row in model.variants([variant])
    del variant["balanced_accuracy"]
    assert "Thresholded Jaccard" in model.variants([{**variant, "thresholded_jaccard": 0.9}])
