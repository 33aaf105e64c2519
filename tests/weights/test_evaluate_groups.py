"""Groups get figures only where there are pictures enough to bear them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pytest

from weights.classifier import LABELS
from weights.evaluation import groups

MEL, NV = LABELS.index("mel"), LABELS.index("nv")


@pytest.mark.parametrize(
    ("age", "band"),
    [(0, "0-29"), (29, "0-29"), (30, "30-44"), (75, "75 and over"), (np.nan, "unknown")],
)
def test_an_age_falls_into_its_band(age: float, band: str) -> None:
    assert groups.age_band(age) == band


def by_sex(females: list[int], males: list[int]) -> dict[str, dict[str, object]]:
    """Answer every melanoma and nevus right, with 0.9; return the groups by name."""
    targets = np.array(females + males)
    probabilities = np.full((len(targets), len(LABELS)), 0.1 / 6)
    probabilities[np.arange(len(targets)), targets] = 0.9
    people = pd.DataFrame({"sex": ["female"] * len(females) + ["male"] * len(males)})
    names = [str(k) for k in range(len(targets))]
    found = groups.figures(people, targets, probabilities, names, threshold=0.5)
    return {row["group"]: row for row in found["by"]["sex"]}


def test_a_group_of_enough_pictures_gets_all_figures() -> None:
    female = by_sex([MEL] * 10 + [NV] * 20, [NV])["female"]
    assert (female["pictures"], female["malignant"]) == (30, 10)
    for key in ("malignant_auc", "sensitivity", "specificity", "accuracy"):
        figure = female[key]
        assert isinstance(figure, dict)
        assert figure["value"] == 1


def test_a_group_of_few_pictures_gets_none() -> None:
    male = by_sex([NV], [MEL] * 10 + [NV] * 14)["male"]
    assert male["pictures"] == 24
    assert {male[k] for k in ("malignant_auc", "sensitivity", "specificity", "accuracy")} == {None}


def test_what_rests_on_few_malignant_pictures_is_not_given() -> None:
    male = by_sex([NV], [MEL] * 4 + [NV] * 40)["male"]
    assert male["sensitivity"] is None
    assert male["malignant_auc"] is None
    assert male["specificity"] is not None


def test_a_table_that_tells_nothing_about_people_makes_one_unknown_group(tmp_path: Path) -> None:
    (tmp_path / "ham10000.csv").write_text("image_id,dx\none,nv\ntwo,mel\n")
    people = groups.particulars(tmp_path, ["two", "one"])
    assert people.index.tolist() == ["two", "one"]
    assert set(people.to_numpy().ravel()) == {"unknown"}


def test_the_real_table_has_every_picture_of_the_report_fold(data: Path) -> None:
    from weights import dataset  # noqa: PLC0415 - TensorFlow is slow to import

    names = [picture.name for picture in dataset.ham10000(data, [dataset.REPORT_FOLD])]
    people = groups.particulars(data, names)
    assert people.index.tolist() == names
    assert set(people["sex"]) == {"female", "male", "unknown"}
    assert {"face", "back"} < set(people["site"])
