"""What reports of several analyses must hold: of one lesion over time, or of a batch."""

from services.pb.reports_pb2 import BatchReport, BatchRow, LesionReport
from services.reports.validation import fields, parts

MAX_ANALYSES = 100
MAX_ROWS = 1_000
MAX_FAILURE = 500
"""Bounds: analyses of a lesion, rows of a batch, characters of why a picture was of no use."""


def check_lesion(report: LesionReport) -> None:
    """Refuse a report that lacks something or is out of range; see the package."""
    fields.line(report.lesion_id, "lesion.lesion_id")
    _head(report, "lesion")
    fields.bounded(report.body_site, "lesion.body_site")
    parts.patient(report.patient, "lesion.patient")
    fields.entries(report.analyses, "lesion.analyses", MAX_ANALYSES)
    parts.summaries(report.analyses, "lesion.analyses")
    if report.HasField("narrative"):
        parts.narrative(report.narrative, "lesion.narrative")


def check_batch(report: BatchReport) -> None:
    """Refuse a report that lacks something or is out of range; see the package."""
    fields.line(report.batch_id, "batch.batch_id")
    _head(report, "batch")
    fields.entries(report.rows, "batch.rows", MAX_ROWS)
    for index, row in enumerate(report.rows):
        _row(row, f"batch.rows[{index}]")


def _head(report: LesionReport | BatchReport, field: str) -> None:
    fields.moment(report.created_at, f"{field}.created_at")
    fields.bounded(report.institution, f"{field}.institution")
    fields.address(report.record_url, f"{field}.record_url")
    parts.models(report.models, f"{field}.models")
    fields.line(report.notice, f"{field}.notice", parts.MAX_NOTICE)


def _row(row: BatchRow, field: str) -> None:
    for name in ("name", "patient_id", "lesion_id", "body_site"):
        fields.bounded(getattr(row, name), f"{field}.{name}")
    if row.HasField("analysis"):
        parts.summary(row.analysis, f"{field}.analysis")
    else:
        fields.line(row.failure, f"{field}.failure", MAX_FAILURE)
