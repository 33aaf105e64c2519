"""Analyses of one lesion in the order of their times, with what changed between them."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from reportlab.lib.colors import Color
from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import Flowable, Spacer

from services.pb.reports_pb2 import AnalysisSummary
from services.reports import pictures, styles
from services.reports.blocks.flowables import Column, Picture, Row, Rule, SideBySide
from services.reports.blocks.plot import Plot
from services.reports.compositor import HEADING_AND_TABLE, Compositor
from services.reports.wordings import Absence

_GAP = 8.0
_DATE_WIDTH = 84.0
_FIGURE_WIDTH = 62.0
_CHANGE_WIDTH = 46.0
_PLOT_HEIGHT = 104.0
SENTENCES = 12
"""Lines of why a picture was of no use, in a row of a table."""
_ABSENCES = {
    AnalysisSummary.NO_PICTURE_OUT_OF_TIME: "out_of_time",
    AnalysisSummary.NO_PICTURE_LOST: "lost",
}
_TOPS = (0.1, 0.2, 0.4, 1.0)
"""Where the axis of a plot may end."""


class Entry(NamedTuple):
    """One row: an analysis, and its picture with the outline where one was sent."""

    analysis: AnalysisSummary
    thumbnail: bytes | None
    instead: str = ""
    """What stands in the picture's place."""


def absence(compositor: Compositor, analysis: AnalysisSummary) -> Absence | None:
    """Return why an analysis shows no picture; None where nobody said."""
    return compositor.wording.no_picture.get(_ABSENCES.get(analysis.no_picture, ""))


def entries(
    analyses: Sequence[AnalysisSummary], field: str, max_pixels: int, side: float
) -> list[Entry]:
    """Return rows with their pictures scaled down; see ``thumbnail``."""
    return [
        Entry(analysis, thumbnail(analysis, f"{field}[{index}]", max_pixels, side))
        for index, analysis in enumerate(analyses)
    ]


def thumbnail(analysis: AnalysisSummary, field: str, max_pixels: int, side: float) -> bytes | None:
    """Return the picture with its outline as JPEG; None where none was sent.

    Args:
        analysis: that brings both.
        field: where it stands in the message, for the error's words.
        max_pixels: refuse larger pictures before decoding.
        side: that it is printed at, in points.

    Raises:
        InvalidReportError: a picture cannot be read, is too large or of another format.

    """
    if not analysis.image:
        return None
    return pictures.outlined(analysis.image, analysis.mask_png, field, max_pixels, side)


def table(compositor: Compositor, entries: Sequence[Entry], side: float) -> list[Flowable]:
    """Return rows of picture, date, class and figures, oldest first.

    Args:
        compositor: sets them.
        entries: oldest first.
        side: of the pictures, in points.

    """
    wording = compositor.wording
    found = ("", wording.date, wording.label, wording.malignant_column)
    names = (*found, wording.change, wording.area, wording.change)
    titles = [compositor.text(name, styles.LABEL) for name in names]
    head = Column([_row(_widths(side), titles), Rule(2, 4)])
    said = compositor.text(wording.change_explained, styles.SMALL)
    return [compositor.listing(head, _rows(compositor, entries, side)), said]


def _rows(compositor: Compositor, entries: Sequence[Entry], side: float) -> Iterator[Flowable]:
    before: AnalysisSummary | None = None
    for entry in entries:
        yield _row(_widths(side), _cells(compositor, entry, before, side))
        if entry.analysis.HasField("prediction"):
            before = entry.analysis


def plots(compositor: Compositor, entries: Sequence[Entry]) -> list[Flowable]:
    """Return malignant probability and area over time; nothing for what is known once or never."""
    wording = compositor.wording
    malignant = [
        (_made(entry.analysis), entry.analysis.prediction.malignant_probability)
        for entry in entries
        if entry.analysis.HasField("prediction")
    ]
    areas = [
        (_made(entry.analysis), entry.analysis.area_fraction)
        for entry in entries
        if entry.analysis.HasField("area_fraction")
    ]
    drawn = [
        Column([compositor.text(name, styles.LABEL), _plot(compositor, points, color, name)])
        for name, points, color in (
            (wording.malignant, malignant, styles.ALERT),
            (wording.area, areas, styles.ACCENT),
        )
        if len(points) > 1
    ]
    if not drawn:
        return []
    left, *right = drawn
    heading = compositor.section(wording.course, [], HEADING_AND_TABLE)
    return [*heading, SideBySide([left], list(right), share=0.5), Spacer(1, 4)]


def _plot(
    compositor: Compositor, points: Sequence[tuple[dt.datetime, float]], color: Color, shows: str
) -> Plot:
    wording = compositor.wording
    highest = max(value for _, value in points)
    top = next((top for top in _TOPS if highest <= top), _TOPS[-1])
    ticks = [
        f"{wording.number(100 * top * step / 4, 1 if top < _TOPS[1] else 0)} %" for step in range(5)
    ]
    ends = (wording.date_of(points[0][0]), wording.date_of(points[-1][0]))
    return Plot(points, _PLOT_HEIGHT, color, ticks, ends, top, shows)


def _widths(side: float) -> tuple[float, ...]:
    figures = (_FIGURE_WIDTH, _CHANGE_WIDTH) * 2
    class_width = styles.TEXT_WIDTH - side - _DATE_WIDTH - sum(figures) - 6 * _GAP
    return (side, _DATE_WIDTH, class_width, *figures)


def _row(widths: Sequence[float], cells: Sequence[Flowable]) -> Row:
    return Row(list(zip(widths, cells, strict=True)), gap=_GAP, below=4)


def _cells(
    compositor: Compositor, entry: Entry, before: AnalysisSummary | None, side: float
) -> list[Flowable]:
    analysis = entry.analysis
    shown = pictured(compositor, entry, side)
    made = _made(analysis)
    date = Column(
        [
            compositor.text(compositor.wording.date_of(made), styles.BODY),
            compositor.text(f"{made:%H:%M} UTC", styles.SMALL),
        ]
    )
    figures = _figures(compositor, analysis, before)
    style = styles.STRONG if analysis.prediction.suspicious else styles.BODY
    return [
        shown,
        date,
        Column(said(compositor, analysis, style, _widths(side)[2])),
        *(compositor.text(figure, styles.BODY) for figure in figures),
    ]


def pictured(compositor: Compositor, entry: Entry, side: float) -> Flowable:
    """Return the picture of a row, or what stands in its place."""
    if entry.thumbnail:
        return Picture(entry.thumbnail, side * 3 / 4, compositor.wording.picture)
    missing = absence(compositor, entry.analysis)
    said = missing.short if missing else entry.instead
    return compositor.text(said, styles.SMALL) if said else Spacer(1, 0)


def said(
    compositor: Compositor, analysis: AnalysisSummary, style: ParagraphStyle, width: float
) -> list[Flowable]:
    """Return what was found in words: class, suspicion, or why not; and the clinician's stand."""
    wording = compositor.wording
    if analysis.HasField("prediction"):
        found = analysis.prediction
        own = compositor.label(found.label, found.label_name)
        lines = [compositor.short(own, style, width)]
        if found.suspicious:
            lines.append(compositor.text(wording.suspicious, styles.ALERT_NOTE))
    else:
        own = ""
        lines = [compositor.text(wording.cannot_assess, styles.BODY)]
        reasons = " ".join(wording.reason(code).why for code in analysis.quality_reasons)
        lines.append(compositor.short(reasons, styles.SMALL, width, SENTENCES))
    if analysis.HasField("assessment"):
        label = compositor.stood_for(analysis.assessment, own)
        says = wording.clinician_says.format(label=label)
        lines.append(compositor.short(says, styles.SMALL, width))
    return lines


def _figures(
    compositor: Compositor, analysis: AnalysisSummary, before: AnalysisSummary | None
) -> list[str]:
    """Return malignant probability, its change, area, its change; empty where unknown."""
    wording = compositor.wording
    malignant = ["", ""]
    area = ["", ""]
    if analysis.HasField("prediction"):
        now = analysis.prediction.malignant_probability
        malignant[0] = wording.percent(now)
        if before is not None:
            malignant[1] = wording.points(before.prediction.malignant_probability, now)
    if analysis.HasField("area_fraction"):
        area[0] = wording.percent(analysis.area_fraction)
        if before is not None and before.HasField("area_fraction"):
            area[1] = wording.points(before.area_fraction, analysis.area_fraction)
    return [*malignant, *area]


def _made(analysis: AnalysisSummary) -> dt.datetime:
    return dt.datetime.fromisoformat(analysis.created_at)
