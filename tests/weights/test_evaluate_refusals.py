"""Refusals are counted by whom they meet and why."""

from __future__ import annotations

import numpy as np
import pytest

from weights.classifier import LABELS
from weights.evaluation import refusals
from weights.evaluation.product import Judgement

MEL, NV = LABELS.index("mel"), LABELS.index("nv")
BLURRED = Judgement(("blurred", "low_contrast"))
STRANGE = Judgement(("blurred",))


def assessed(label: int = NV, *, suspicious: bool = False) -> Judgement:
    return Judgement((), np.eye(len(LABELS))[label], suspicious)


def test_what_became_of_each_labels_pictures_adds_up() -> None:
    judged = [BLURRED, assessed(MEL, suspicious=True), assessed(NV), assessed(NV)]
    found = refusals.of_lesions(judged, np.array([MEL, MEL, MEL, NV]), ["a", "b", "c", "d"])
    assert found["refused"]["value"] == 0.25
    assert found["reasons"] == {"blurred": 1, "low_contrast": 1}
    assert found["labels"]["mel"]["outcomes"] == {
        "refused": 1,
        "suspicious": 1,
        "not suspicious": 1,
    }
    assert found["labels"]["nv"]["refused"]["value"] == 0
    assert "df" not in found["labels"]


def test_melanomas_that_are_refused_more_often_show_in_the_difference() -> None:
    judged = [BLURRED] * 30 + [assessed()] * 70
    targets = np.array([MEL] * 40 + [NV] * 60)
    difference = refusals.of_lesions(judged, targets, [str(k) for k in range(100)])[
        "melanoma_minus_nevus"
    ]
    assert difference["value"] == 0.75
    assert 0.5 < difference["low"] < 0.75 < difference["high"] < 1


def test_strangers_that_were_let_pass_are_named() -> None:
    found = refusals.of_kinds({"noise-1": BLURRED, "noise-2": assessed(), "text-page-1": STRANGE})
    assert (found["refused"], found["pictures"], found["let_pass"]) == (2, 3, ["noise-2"])
    assert list(found["kinds"]) == ["noise", "text-page"]
    assert found["kinds"]["noise"]["reasons"] == {"blurred": 1, "low_contrast": 1}


def test_reasons_are_counted_the_commonest_first() -> None:
    assert list(refusals.reasons([STRANGE, BLURRED])) == ["blurred", "low_contrast"]


def test_agreement_compares_only_what_the_product_answered() -> None:
    own = np.eye(len(LABELS))[[NV, NV, MEL]] * 0.9
    found = refusals.agreement([BLURRED, assessed(NV), assessed(NV)], own)
    assert found == {
        "pictures": 2,
        "same_label": 0.5,
        "largest_difference": pytest.approx(1),
    }


def test_nothing_answered_is_nothing_to_compare() -> None:
    found = refusals.agreement([BLURRED], np.ones((1, len(LABELS))))
    assert found == {"pictures": 0, "same_label": None, "largest_difference": None}
