"""What a message must hold to become a page; everything else about it is optional.

Lengths are bounded so that the footer leaves room for the page and no message keeps a renderer
busy for long. Faults name the field and never repeat its value, which may name a patient.
"""

import datetime as dt
import re
from collections.abc import Sequence

from services.pb.reports_pb2 import AnalysisReport, Classification, Model, RenderRequest
from services.reports.errors import InvalidReportError

MAX_LINE = 300
MAX_NOTE = 20_000
MAX_NOTICE = 500
MAX_REASON = 100
MAX_ENTRIES = 20
"""Bounds: characters of one field, and entries of one list."""

_ROUNDING = 1e-6
"""How far sums of single-precision probabilities may lie outside 0..1."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


def check(request: RenderRequest) -> None:
    """Refuse a message that lacks something or is out of range.

    Raises:
        InvalidReportError: naming the first field at fault.

    """
    _require(request.HasField("analysis"), "analysis")
    report = request.analysis
    _line(report.analysis_id, "analysis.analysis_id")
    created_at(report)
    _optional_texts(report)
    _require(bool(report.image), "analysis.image")
    _outcome(report)
    if report.HasField("segmentation"):
        for name in ("area_fraction", "asymmetry", "border_irregularity", "color_variegation"):
            _fraction(getattr(report.segmentation, name), f"analysis.segmentation.{name}")
    _entries(report.models, "analysis.models")
    for index, model in enumerate(report.models):
        _model(model, f"analysis.models[{index}]")
    _line(report.notice, "analysis.notice", MAX_NOTICE)


def created_at(report: AnalysisReport) -> dt.datetime:
    """Return when the analysis was made, in UTC.

    Raises:
        InvalidReportError: it is no RFC 3339 time in UTC.

    """
    field = "analysis.created_at"
    _require(bool(report.created_at), field)
    try:
        moment = dt.datetime.fromisoformat(report.created_at)
    except ValueError:
        moment = None
    if moment is None or moment.utcoffset() != dt.timedelta(0):
        raise InvalidReportError(field, "must be an RFC 3339 time in UTC")
    return moment


def _optional_texts(report: AnalysisReport) -> None:
    for name in ("institution", "lesion_id", "body_site"):
        _bounded(getattr(report, name), f"analysis.{name}", MAX_LINE)
    _bounded(report.patient.id, "analysis.patient.id", MAX_LINE)
    _bounded(report.patient.name, "analysis.patient.name", MAX_LINE)
    _bounded(report.note, "analysis.note", MAX_NOTE)


def _outcome(report: AnalysisReport) -> None:
    reasons = report.quality.reasons
    _require(report.HasField("quality"), "analysis.quality")
    if report.HasField("classification"):
        _classification(report.classification)
    else:
        _require(bool(reasons), "analysis.quality.reasons")
    if len(reasons) > MAX_ENTRIES:
        raise InvalidReportError("analysis.quality.reasons", f"more than {MAX_ENTRIES} entries")
    for index, reason in enumerate(reasons):
        _line(reason, f"analysis.quality.reasons[{index}]", MAX_REASON)


def _classification(classification: Classification) -> None:
    field = "analysis.classification"
    _line(classification.label, f"{field}.label")
    _line(classification.label_name, f"{field}.label_name")
    _entries(classification.probabilities, f"{field}.probabilities")
    for index, row in enumerate(classification.probabilities):
        of_row = f"{field}.probabilities[{index}]"
        _line(row.label, f"{of_row}.label")
        _bounded(row.label_name, f"{of_row}.label_name", MAX_LINE)
        _fraction(row.probability, f"{of_row}.probability")
    _fraction(classification.malignant_probability, f"{field}.malignant_probability")
    _fraction(classification.suspicious_threshold, f"{field}.suspicious_threshold")


def _model(model: Model, field: str) -> None:
    _line(model.name, f"{field}.name")
    _line(model.version, f"{field}.version")
    if not _SHA256.fullmatch(model.sha256):
        raise InvalidReportError(f"{field}.sha256", "must be 64 lower-case hexadecimal digits")


def _require(present: bool, field: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not present:
        raise InvalidReportError(field, "is missing")


def _line(text: str, field: str, limit: int = MAX_LINE) -> None:
    _require(bool(text.strip()), field)
    _bounded(text, field, limit)


def _bounded(text: str, field: str, limit: int) -> None:
    if len(text) > limit:
        raise InvalidReportError(field, f"is longer than {limit} characters")


def _fraction(value: float, field: str) -> None:
    # Written so that NaN fails it as well.
    if not -_ROUNDING <= value <= 1 + _ROUNDING:
        raise InvalidReportError(field, "must lie within 0 and 1")


def _entries(entries: Sequence[object], field: str) -> None:
    _require(len(entries) > 0, field)
    if len(entries) > MAX_ENTRIES:
        raise InvalidReportError(field, f"more than {MAX_ENTRIES} entries")
