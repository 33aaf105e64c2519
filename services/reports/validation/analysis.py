"""What the report of one analysis must hold."""

from services.pb.reports_pb2 import AnalysisReport, Classification, OperatingPoint
from services.reports.validation import fields, parts

MAX_NOTE = 20_000
"""Characters."""

_MEASURES = ("area_fraction", "asymmetry", "border_irregularity", "color_variegation")


def check(report: AnalysisReport) -> None:
    """Refuse a report that lacks something or is out of range; see the package."""
    fields.line(report.analysis_id, "analysis.analysis_id")
    fields.moment(report.created_at, "analysis.created_at")
    if report.requested_at:
        fields.moment(report.requested_at, "analysis.requested_at")
    for name in ("institution", "lesion_id", "body_site", "preprocessing"):
        fields.bounded(getattr(report, name), f"analysis.{name}")
    parts.patient(report.patient, "analysis.patient")
    fields.bounded(report.note, "analysis.note", MAX_NOTE)
    fields.require(bool(report.image), "analysis.image")
    _outcome(report)
    for name in _MEASURES if report.HasField("segmentation") else ():
        fields.fraction(getattr(report.segmentation, name), f"analysis.segmentation.{name}")
    _provenance(report)
    fields.at_most(report.earlier, "analysis.earlier")
    parts.summaries(report.earlier, "analysis.earlier")
    if report.HasField("assessment"):
        parts.assessment(report.assessment, "analysis.assessment")
    if report.HasField("narrative"):
        parts.narrative(report.narrative, "analysis.narrative")
    fields.line(report.notice, "analysis.notice", parts.MAX_NOTICE)


def _outcome(report: AnalysisReport) -> None:
    codes = report.quality.reasons
    fields.require(report.HasField("quality"), "analysis.quality")
    if report.HasField("classification"):
        _classification(report.classification)
    else:
        fields.require(bool(codes), "analysis.quality.reasons")
    parts.reasons(codes, "analysis.quality.reasons")


def _classification(classification: Classification) -> None:
    field = "analysis.classification"
    fields.line(classification.label, f"{field}.label")
    fields.line(classification.label_name, f"{field}.label_name")
    fields.entries(classification.probabilities, f"{field}.probabilities")
    for index, row in enumerate(classification.probabilities):
        of_row = f"{field}.probabilities[{index}]"
        fields.line(row.label, f"{of_row}.label")
        fields.bounded(row.label_name, f"{of_row}.label_name")
        fields.fraction(row.probability, f"{of_row}.probability")
    fields.fraction(classification.malignant_probability, f"{field}.malignant_probability")
    fields.fraction(classification.suspicious_threshold, f"{field}.suspicious_threshold")
    if classification.HasField("operating_point"):
        _operating_point(classification.operating_point, f"{field}.operating_point")


def _operating_point(point: OperatingPoint, field: str) -> None:
    for name in ("sensitivity", "specificity"):
        fields.fraction(getattr(point, name), f"{field}.{name}")
        if point.HasField(f"{name}_interval"):
            given, of_name = getattr(point, f"{name}_interval"), f"{field}.{name}_interval"
            fields.interval(given.low, given.high, of_name)
            fields.fraction(given.low, f"{of_name}.low")
            fields.fraction(given.high, f"{of_name}.high")
    fields.line(point.measured_on, f"{field}.measured_on")


def _provenance(report: AnalysisReport) -> None:
    fields.entries(report.models, "analysis.models")
    parts.models(report.models, "analysis.models")
    fields.address(report.record_url, "analysis.record_url")
    for name in ("image_sha256", "mask_sha256"):
        if getattr(report, name):
            fields.sha256(getattr(report, name), f"analysis.{name}")
