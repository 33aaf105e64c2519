"""Where the figures come from: models with their hashes and evaluation, picture, preparation."""

from collections.abc import Iterable

from reportlab.platypus import Flowable, Spacer

from services.pb.reports_pb2 import AnalysisReport, Metric, Model
from services.reports import styles
from services.reports.blocks.flowables import Row
from services.reports.compositor import Compositor
from services.reports.wordings.wording import Wording

_NAME_WIDTH = 149.0
_HASH_WIDTH = 340.0


def models(compositor: Compositor, listed: Iterable[Model]) -> list[Flowable]:
    """Return the models of several analyses; nothing when they are not known."""
    rows = [row for model in listed for row in _model(compositor, model)]
    return compositor.section(compositor.wording.models, rows) if rows else []


def provenance(compositor: Compositor, report: AnalysisReport) -> list[Flowable]:
    """Return the models of one analysis, and the hashes of what they looked at."""
    wording = compositor.wording
    rows = [row for model in report.models for row in _model(compositor, model)]
    for name, sha256 in (
        (wording.analyzed_picture, report.image_sha256),
        (wording.mask, report.mask_sha256),
    ):
        rows += [_row(compositor, name, f"sha256 {sha256}")] if sha256 else []
    if report.preprocessing.strip():
        rows.append(_row(compositor, wording.prepared, report.preprocessing))
    return compositor.section(wording.models, rows)


def _model(compositor: Compositor, model: Model) -> list[Flowable]:
    ran_on = ", ".join(filter(None, (model.execution_provider, model.precision)))
    rows: list[Flowable] = [
        _row(compositor, f"{model.name} {model.version}", f"sha256 {model.sha256}")
    ]
    said = " · ".join(filter(None, (ran_on, _evaluation(compositor, model))))
    return [*rows, compositor.text(said, styles.SMALL), Spacer(1, 3)] if said else rows


def _evaluation(compositor: Compositor, model: Model) -> str:
    if not model.metrics:
        return ""
    wording = compositor.wording
    figures = "; ".join(_figure(wording, metric) for metric in model.metrics)
    known = any(metric.HasField("interval") for metric in model.metrics)
    sentence = wording.figures_within if known else wording.figures
    return sentence.format(split=model.evaluated_on, figures=figures)


def _figure(wording: Wording, metric: Metric) -> str:
    said = f"{wording.metric(metric.name)} {wording.number(metric.value, 3)}"
    if not metric.HasField("interval"):
        return said
    low, high = (wording.number(end, 3) for end in (metric.interval.low, metric.interval.high))
    return f"{said} ({low}\N{EN DASH}{high})"


def _row(compositor: Compositor, name: str, said: str) -> Row:
    return Row(
        [
            (_NAME_WIDTH, compositor.text(name, styles.FINE)),
            (_HASH_WIDTH, compositor.text(said, styles.HASH)),
        ]
    )
