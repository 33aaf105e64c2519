"""What was found in one picture: layers, probabilities, quality, measures."""

from typing import NamedTuple

from reportlab.platypus import Flowable, Spacer

from services.pb.reports_pb2 import AnalysisReport, Classification, Quality, Segmentation
from services.reports import styles
from services.reports.blocks.flowables import Bar, Column, Legend, Picture, Row, SideBySide
from services.reports.compositor import Compositor

_HALF = styles.HALF_WIDTH
_BARS_SHARE = 0.6
_NAME_WIDTH = 140.0
_FIGURE_WIDTH = 44.0
_BAR_WIDTH = 2 * _HALF * _BARS_SHARE - _NAME_WIDTH - _FIGURE_WIDTH - 2 * 10
_MEASURE_WIDTH = 2 * _HALF * (1 - _BARS_SHARE)
_LEGEND_WIDTH = 110.0


class Layers(NamedTuple):
    """The pictures of the page as JPEG; the heat map only when there is one."""

    outlined: bytes
    heated: bytes | None


def pictures(
    compositor: Compositor, report: AnalysisReport, layers: Layers, height: float
) -> Flowable:
    """Return the picture with its outline, beside its explanation where there is one."""
    shown = outlined(compositor, report, layers, height)
    if layers.heated is None:
        return shown
    wording = compositor.wording
    spoke = wording.spoke_for.format(label=report.classification.label)
    caption = Row(
        [
            (_HALF - _LEGEND_WIDTH - 10, compositor.text(spoke, styles.SMALL)),
            (_LEGEND_WIDTH, Legend(wording.low, wording.high)),
        ]
    )
    heated = Column([Picture(layers.heated, height, spoke), Spacer(1, 4), caption])
    return SideBySide([shown], [heated], share=0.5)


def outlined(
    compositor: Compositor, report: AnalysisReport, layers: Layers, height: float
) -> Column:
    """Return the picture with what it shows in words."""
    wording = compositor.wording
    said = wording.outlined if report.mask_png else wording.not_outlined
    picture = Picture(layers.outlined, height, said)
    return Column([picture, Spacer(1, 4), compositor.text(said, styles.SMALL)])


def figures(compositor: Compositor, report: AnalysisReport) -> SideBySide:
    """Return probabilities beside measures and quality."""
    left = _probabilities(compositor, report.classification)
    measured = measures(compositor, report)
    gap = [compositor.gap()] if measured else []
    right = [*measured, *gap, *_quality(compositor, report.quality)]
    return SideBySide(left, right, share=_BARS_SHARE)


def measures(compositor: Compositor, report: AnalysisReport) -> list[Flowable]:
    """Return the measures of the outlined lesion; nothing when none was found."""
    if not report.HasField("segmentation"):
        return []
    heading = compositor.heading(compositor.wording.measures_heading)
    return [*heading, *_measures(compositor, report.segmentation)]


def _measures(compositor: Compositor, found: Segmentation) -> list[Flowable]:
    wording = compositor.wording
    rows: list[Flowable] = []
    for measure in wording.measures:
        value = getattr(found, measure.field)
        figure = wording.percent(value) if measure.is_share else wording.number(value, 2)
        name = compositor.text(measure.name, styles.BODY)
        shown = compositor.text(figure, styles.right(styles.STRONG))
        rows += [
            Row([(_MEASURE_WIDTH - _FIGURE_WIDTH - 10, name), (_FIGURE_WIDTH, shown)]),
            compositor.text(measure.meaning, styles.SMALL),
            Spacer(1, 2),
        ]
    return rows


def _probabilities(compositor: Compositor, found: Classification) -> list[Flowable]:
    wording = compositor.wording
    rows: list[Flowable] = []
    for row in found.probabilities:
        top = row.label == found.label
        style = styles.STRONG if top else styles.BODY
        color = styles.ACCENT if top else styles.BAR
        figure = compositor.text(wording.percent(row.probability), styles.right(style))
        cells: list[tuple[float, Flowable]] = [
            (_NAME_WIDTH, compositor.text(compositor.label(row.label, row.label_name), style)),
            (_BAR_WIDTH, Bar(row.probability, color, style.leading)),
            (_FIGURE_WIDTH, figure),
        ]
        rows.append(Row(cells, below=3))
    return [*compositor.heading(wording.probabilities), *rows]


def _quality(compositor: Compositor, quality: Quality) -> list[Flowable]:
    wording = compositor.wording
    said = [wording.acceptable if quality.acceptable else wording.limited]
    said += [wording.reason(code).why for code in quality.reasons]
    texts = [compositor.text(text, styles.BODY) for text in said]
    return [*compositor.heading(wording.quality), *texts]
