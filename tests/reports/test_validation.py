"""Which messages are refused, and that the field at fault is named."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from services.pb.reports_pb2 import AnalysisReport, RenderRequest
from services.reports import validation
from services.reports.errors import InvalidReportError
from tests.reports import messages


def fault(change: Callable[[AnalysisReport], object]) -> InvalidReportError:
    request = messages.assessed()
    change(request.analysis)
    with pytest.raises(InvalidReportError) as caught:
        validation.check(request)
    return caught.value


def test_whole_messages_are_accepted() -> None:
    for request in (
        messages.assessed(),
        messages.not_assessed(),
        messages.bare(),
        messages.filed(),
        messages.lesion_over_time(),
        messages.batch(),
    ):
        validation.check(request)


def test_a_message_without_analysis_is_refused() -> None:
    with pytest.raises(InvalidReportError, match=r"^analysis: is missing$"):
        validation.check(RenderRequest())


@pytest.mark.parametrize(
    "field", ["analysis_id", "created_at", "image", "quality", "models", "notice"]
)
def test_a_required_field_is_named_when_missing(field: str) -> None:
    error = fault(lambda report: report.ClearField(field))
    assert error.field == f"analysis.{field}"


@pytest.mark.parametrize(
    "moment", ["yesterday", "2026-01-31", "2026-01-31T09:30:00", "2026-01-31T09:30:00+02:00"]
)
def test_a_time_that_is_not_utc_is_refused(moment: str) -> None:
    assert fault(lambda report: setattr(report, "created_at", moment)).field.endswith("created_at")


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), float("inf")])
def test_a_share_out_of_range_is_refused(value: float) -> None:
    def set_probability(report: AnalysisReport) -> None:
        report.classification.probabilities[2].probability = value

    def set_measure(report: AnalysisReport) -> None:
        report.segmentation.asymmetry = value

    assert fault(set_probability).field == "analysis.classification.probabilities[2].probability"
    assert fault(set_measure).field == "analysis.segmentation.asymmetry"


def test_a_sum_that_rounding_carried_over_one_is_accepted() -> None:
    request = messages.assessed()
    request.analysis.classification.malignant_probability = 1.0000001
    validation.check(request)


def test_without_a_classification_there_must_be_a_reason() -> None:
    error = fault(lambda report: report.ClearField("classification"))
    assert error.field == "analysis.quality.reasons"


def test_a_hash_must_be_one() -> None:
    error = fault(lambda report: setattr(report.models[1], "sha256", "A0" * 32))
    assert error.field == "analysis.models[1].sha256"


def test_endless_fields_are_refused_by_name_and_never_repeated() -> None:
    error = fault(lambda report: setattr(report.patient, "name", "Lindqvist" * 100))
    assert str(error) == "analysis.patient.name: is longer than 300 characters"
    assert fault(lambda report: setattr(report, "note", "x" * 20_001)).field == "analysis.note"


def test_endless_lists_are_refused() -> None:
    error = fault(lambda report: report.models.extend([report.models[0]] * 30))
    assert error.field == "analysis.models"


def filed_fault(change: Callable[[AnalysisReport], object]) -> str:
    request = messages.filed()
    change(request.analysis)
    with pytest.raises(InvalidReportError) as caught:
        validation.check(request)
    return caught.value.field.removeprefix("analysis.")


def test_a_language_that_the_page_cannot_speak_is_refused() -> None:
    request = messages.assessed()
    request.language = "fr"
    with pytest.raises(InvalidReportError, match=r"^language: must be one of en, de$"):
        validation.check(request)


@pytest.mark.parametrize(
    ("part", "field", "value"),
    [
        ("patient", "birth_date", "31.05.1980"),
        ("patient", "sex", "f"),
        ("assessment", "clinician", "x" * 301),
        ("assessment", "assessed_at", "yesterday"),
        ("assessment", "label", ""),
        ("assessment", "reason", "x" * 2_001),
        ("narrative", "text", "\n"),
        ("narrative", "author", 0),
        ("narrative", "author", 7),
        ("classification.operating_point", "sensitivity", 92.8),
        ("classification.operating_point", "measured_on", ""),
        ("classification.operating_point.sensitivity_interval", "high", 1.1),
        ("classification.operating_point.specificity_interval", "low", -0.1),
        ("models[1]", "evaluated_on", ""),
        ("models[0].metrics[0]", "value", float("inf")),
        ("models[0].metrics[0].interval", "low", float("nan")),
        ("earlier[1]", "created_at", ""),
        ("earlier[0]", "area_fraction", float("nan")),
        ("earlier[0].prediction", "malignant_probability", 2.0),
    ],
)
def test_a_part_out_of_range_is_refused_by_its_place(
    part: str, field: str, value: str | float
) -> None:
    path = re.split(r"[.\[\]]+", part.rstrip("]"))

    def change(report: AnalysisReport) -> None:
        found: Any = report
        for step in path:
            found = found[int(step)] if step.isdecimal() else getattr(found, step)
        setattr(found, field, value)

    assert filed_fault(change) == f"{part}.{field}"


def test_an_interval_does_not_end_before_it_begins() -> None:
    def turn(report: AnalysisReport) -> None:
        interval = report.models[0].metrics[0].interval
        interval.low, interval.high = interval.high, interval.low

    assert filed_fault(turn) == "models[0].metrics[0].interval"


@pytest.mark.parametrize("field", ["image_sha256", "mask_sha256"])
def test_a_hash_of_a_picture_must_be_one(field: str) -> None:
    assert filed_fault(lambda report: setattr(report, field, "short")) == field


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "https://a b", "derm.example/1", "https://" + "a" * 300]
)
def test_an_address_that_leads_to_no_record_is_refused(address: str) -> None:
    assert filed_fault(lambda report: setattr(report, "record_url", address)) == "record_url"


def test_earlier_analyses_come_oldest_first() -> None:
    request = messages.filed()
    oldest = request.analysis.earlier.pop(0)
    request.analysis.earlier.append(oldest)
    with pytest.raises(InvalidReportError, match="oldest first"):
        validation.check(request)


def test_an_analysis_without_prediction_says_why() -> None:
    request = messages.lesion_over_time()
    request.lesion.analyses[0].ClearField("prediction")
    with pytest.raises(InvalidReportError) as caught:
        validation.check(request)
    assert caught.value.field == "lesion.analyses[0].quality_reasons"


def test_a_row_of_a_batch_has_an_outcome() -> None:
    request = messages.batch()
    request.batch.rows[2].ClearField("analysis")
    with pytest.raises(InvalidReportError) as caught:
        validation.check(request)
    assert caught.value.field == "batch.rows[2].failure"


def test_a_batch_has_a_thousand_rows_at_most() -> None:
    request = messages.batch()
    request.batch.rows.extend([request.batch.rows[3]] * 1_000)
    with pytest.raises(InvalidReportError, match=r"^batch\.rows: more than 1000 entries$"):
        validation.check(request)


@pytest.mark.parametrize("kind", ["lesion", "batch"])
@pytest.mark.parametrize("field", ["id", "created_at", "notice", "entries"])
def test_what_every_report_needs_is_named_when_missing(kind: str, field: str) -> None:
    request = messages.lesion_over_time() if kind == "lesion" else messages.batch()
    lists = {"lesion": "analyses", "batch": "rows"}
    name = {"id": f"{kind}_id", "entries": lists[kind]}.get(field, field)
    getattr(request, kind).ClearField(name)
    with pytest.raises(InvalidReportError) as caught:
        validation.check(request)
    assert caught.value.field == f"{kind}.{name}"
