"""Which messages are refused, and that the field at fault is named."""

from collections.abc import Callable

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
    for request in (messages.assessed(), messages.not_assessed(), messages.bare()):
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
