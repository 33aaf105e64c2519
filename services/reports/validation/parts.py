"""What several reports are made of: patients, models, opinions, summaries."""

from collections.abc import Sequence

from services.pb.reports_pb2 import (
    AnalysisSummary,
    Assessment,
    Model,
    Narrative,
    Patient,
    Prediction,
)
from services.reports.errors import InvalidReportError
from services.reports.validation import fields

MAX_REASON = 100
MAX_NARRATIVE = 2_000
MAX_OPINION = 2_000
MAX_NOTICE = 500
"""Bounds: characters of one field. The notice leaves room for the page."""

SEXES = ("female", "male", "other", "unknown")


def patient(given: Patient, field: str) -> None:
    """Check who the patient is."""
    fields.bounded(given.id, f"{field}.id")
    fields.bounded(given.name, f"{field}.name")
    fields.date(given.birth_date, f"{field}.birth_date")
    fields.one_of(given.sex, f"{field}.sex", SEXES)


def reasons(codes: Sequence[str], field: str) -> None:
    """Check why a picture is not good enough."""
    fields.at_most(codes, field)
    for index, code in enumerate(codes):
        fields.line(code, f"{field}[{index}]", MAX_REASON)


def models(listed: Sequence[Model], field: str) -> None:
    """Check models, of which there may be none."""
    fields.at_most(listed, field)
    for index, model in enumerate(listed):
        _model(model, f"{field}[{index}]")


def assessment(given: Assessment, field: str) -> None:
    """Check a clinician's own opinion."""
    fields.bounded(given.clinician, f"{field}.clinician")
    fields.moment(given.assessed_at, f"{field}.assessed_at")
    if not given.agrees:
        fields.line(given.label, f"{field}.label")
    fields.bounded(given.label, f"{field}.label")
    fields.bounded(given.label_name, f"{field}.label_name")
    fields.bounded(given.reason, f"{field}.reason", MAX_OPINION)


def narrative(given: Narrative, field: str) -> None:
    """Check a summary, and that it says who wrote it."""
    fields.line(given.text, f"{field}.text", MAX_NARRATIVE)
    if given.author not in (Narrative.AUTHOR_MACHINE, Narrative.AUTHOR_TEMPLATE):
        raise InvalidReportError(f"{field}.author", "is missing or unknown")
    fields.bounded(given.written_by, f"{field}.written_by")


def summaries(listed: Sequence[AnalysisSummary], field: str) -> None:
    """Check analyses of one lesion, and their order."""
    made = []
    for index, given in enumerate(listed):
        summary(given, f"{field}[{index}]")
        made.append(fields.moment(given.created_at, f"{field}[{index}].created_at"))
    if made != sorted(made):
        raise InvalidReportError(field, "must be in the order of their times, oldest first")


def summary(given: AnalysisSummary, field: str) -> None:
    """Check one analysis among others."""
    fields.line(given.analysis_id, f"{field}.analysis_id")
    fields.moment(given.created_at, f"{field}.created_at")
    reasons(given.quality_reasons, f"{field}.quality_reasons")
    if given.HasField("prediction"):
        _prediction(given.prediction, f"{field}.prediction")
    else:
        fields.require(bool(given.quality_reasons), f"{field}.quality_reasons")
    if given.HasField("area_fraction"):
        fields.fraction(given.area_fraction, f"{field}.area_fraction")
    if given.HasField("assessment"):
        assessment(given.assessment, f"{field}.assessment")


def _prediction(given: Prediction, field: str) -> None:
    fields.line(given.label, f"{field}.label")
    fields.bounded(given.label_name, f"{field}.label_name")
    fields.fraction(given.malignant_probability, f"{field}.malignant_probability")


def _model(model: Model, field: str) -> None:
    fields.line(model.name, f"{field}.name")
    fields.line(model.version, f"{field}.version")
    fields.sha256(model.sha256, f"{field}.sha256")
    fields.bounded(model.execution_provider, f"{field}.execution_provider")
    fields.bounded(model.precision, f"{field}.precision")
    fields.at_most(model.metrics, f"{field}.metrics")
    for index, metric in enumerate(model.metrics):
        fields.line(metric.name, f"{field}.metrics[{index}].name")
        fields.finite(metric.value, f"{field}.metrics[{index}].value")
        given = metric.interval
        fields.interval(given.low, given.high, f"{field}.metrics[{index}].interval")
    if model.metrics:
        fields.require(bool(model.evaluated_on.strip()), f"{field}.evaluated_on")
    fields.bounded(model.evaluated_on, f"{field}.evaluated_on")
