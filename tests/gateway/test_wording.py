"""Answers in plain words."""

import pytest

from services.gateway import wording
from services.gateway.clients import Evaluation, Interval
from services.gateway.wording import Measured, Worth
from services.pb import inference_pb2 as pb

REASONS = [
    pb.Reason.Name(reason).removeprefix("REASON_").lower()
    for reason in pb.Reason.values()
    if reason
]


@pytest.mark.parametrize("code", REASONS)
def test_every_reason_of_inference_is_told_in_words_with_what_would_help(code: str) -> None:
    told = wording.reason(code)
    assert told != wording.reason("not heard of")
    assert "cannot be judged" not in told.why
    assert told.why.endswith(".")
    assert told.advice.endswith(".")


def test_a_reason_that_is_new_to_us_is_told_by_its_name() -> None:
    told = wording.reason("too_hairy")
    assert told.why == "The picture cannot be judged: too hairy."
    assert told.advice


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (0.0, "0.0\u00a0%"),
        (0.0004, "< 0.1\u00a0%"),
        (0.1733, "17.3\u00a0%"),
        (0.9996, "> 99.9\u00a0%"),
        (1.0, "100.0\u00a0%"),
        (None, "\N{EN DASH}"),
    ],
)
def test_nothing_is_shown_as_impossible_or_certain_that_is_not(
    share: float | None, shown: str
) -> None:
    assert wording.percent(share) == shown


def test_what_an_operating_point_is_worth_is_only_told_where_both_figures_are_known() -> None:
    known = {"suspicious_sensitivity": 0.928, "suspicious_specificity": 0.675, "macro_auc": 0.945}
    ends = {"suspicious_sensitivity": Interval(0.898, 0.956)}
    assert Worth.of(Evaluation("fold 4", known, ends)) == Worth(
        Measured(0.928, (0.898, 0.956)), Measured(0.675), "fold 4"
    )
    del known["suspicious_specificity"]
    assert Worth.of(Evaluation("fold 4", known, ends)) is None
