"""The report of pictures that were sent together."""

import itertools
from collections.abc import Iterator

from reportlab.platypus import Flowable, Spacer

from services.pb.reports_pb2 import BatchReport, BatchRow
from services.reports import styles
from services.reports.blocks.flowables import Column, Row, Rule
from services.reports.compositor import Compositor
from services.reports.imprint import Imprint
from services.reports.pages import course
from services.reports.pages.letterhead import Letterhead
from services.reports.pages.provenance import models

_SIDE = 44.0
_NUMBER_WIDTH = 22.0
_NAME_WIDTH = 112.0
_ABOUT_WIDTH = 96.0
_FIGURE_WIDTH = 58.0
_GAP = 8.0
_RESULT_WIDTH = (
    styles.TEXT_WIDTH - _SIDE - _NUMBER_WIDTH - _NAME_WIDTH - _ABOUT_WIDTH - _FIGURE_WIDTH
) - 5 * _GAP
_WIDTHS = (_NUMBER_WIDTH, _SIDE, _NAME_WIDTH, _ABOUT_WIDTH, _RESULT_WIDTH, _FIGURE_WIDTH)


class BatchPages:
    """One batch: its pictures are scaled down to thumbnails here, one after the other."""

    def __init__(self, report: BatchReport, max_pixels: int) -> None:
        """Decode the pictures of a report that was found valid.

        Raises:
            InvalidReportError: one cannot be read, is too large or of another format.

        """
        self._report = report
        self._letterhead = Letterhead(report, report.batch_id, "batch", max_pixels)
        self._thumbnails = [
            course.thumbnail(row.analysis, f"batch.rows[{index}].analysis", max_pixels, _SIDE)
            for index, row in enumerate(report.rows)
        ]

    def imprint(self, compositor: Compositor) -> Imprint:
        """Return what the report says of itself."""
        report, wording = self._report, compositor.wording
        title, subject = wording.batch_title, wording.batch_subject
        return self._letterhead.imprint(compositor, title, subject, report.created_at)

    def stories(self, compositor: Compositor) -> Iterator[list[Flowable]]:
        """Return the only way in which the report is set."""
        yield [
            *self._head(compositor),
            compositor.text(self._counts(compositor), styles.STRONG),
            *self._without_picture(compositor),
            Spacer(1, 8),
            self._table(compositor),
            *models(compositor, self._report.models),
        ]

    def _head(self, compositor: Compositor) -> list[Flowable]:
        report, wording = self._report, compositor.wording
        said = (
            wording.created.format(moment=compositor.moment(report.created_at)),
            wording.batch.format(id=report.batch_id),
        )
        return self._letterhead.head(compositor, wording.batch_title, said)

    def _counts(self, compositor: Compositor) -> str:
        rows = self._report.rows
        made = [row.analysis for row in rows if row.HasField("analysis")]
        assessed = [analysis.prediction for analysis in made if analysis.HasField("prediction")]
        suspicious = sum(prediction.suspicious for prediction in assessed)
        return compositor.wording.counts.format(
            total=len(rows),
            suspicious=suspicious,
            other=len(assessed) - suspicious,
            unassessed=len(made) - len(assessed),
            failed=len(rows) - len(made),
        )

    def _without_picture(self, compositor: Compositor) -> list[Flowable]:
        """Say which rows have no picture that should have one, and why."""
        rows: dict[str, list[int]] = {}
        for number, row in enumerate(self._report.rows, start=1):
            missing = course.absence(compositor, row.analysis)
            if missing and not row.analysis.image:
                rows.setdefault(missing.said, []).append(number)
        return [
            compositor.text(said.format(rows=_ranges(numbers)), styles.BODY)
            for said, numbers in rows.items()
        ]

    def _table(self, compositor: Compositor) -> Flowable:
        wording = compositor.wording
        names = ("", "", wording.name, wording.about, wording.label, wording.malignant_column)
        head = Column([_row([compositor.text(name, styles.LABEL) for name in names]), Rule(2, 4)])
        shown = zip(self._report.rows, self._thumbnails, strict=True)
        rows = (
            _row(_cells(compositor, number, row, thumbnail))
            for number, (row, thumbnail) in enumerate(shown, start=1)
        )
        return compositor.listing(head, rows)


def _ranges(numbers: list[int]) -> str:
    """Return ascending numbers in few words, for example of 1, 3, 4 and 5 "1, 3-5"."""
    runs = itertools.groupby(enumerate(numbers), key=lambda each: each[1] - each[0])
    listed = ([number for _, number in run] for _, run in runs)
    ends = (dict.fromkeys((run[0], run[-1])) for run in listed)
    return ", ".join("\N{EN DASH}".join(map(str, both)) for both in ends)


def _row(cells: list[Flowable]) -> Row:
    return Row(list(zip(_WIDTHS, cells, strict=True)), gap=_GAP, below=4)


def _cells(
    compositor: Compositor, number: int, row: BatchRow, thumbnail: bytes | None
) -> list[Flowable]:
    wording = compositor.wording
    about = filter(None, (row.patient_id, row.lesion_id, wording.site(row.body_site)))
    cells = [
        compositor.text(str(number), styles.LABEL),
        course.pictured(compositor, course.Entry(row.analysis, thumbnail), _SIDE),
        compositor.short(row.name, styles.BODY, _NAME_WIDTH),
        Column([compositor.short(each, styles.BODY, _ABOUT_WIDTH) for each in about]),
    ]
    if not row.HasField("analysis"):
        failed = [
            compositor.text(wording.failed, styles.BODY),
            compositor.short(row.failure, styles.SMALL, _RESULT_WIDTH, course.SENTENCES),
        ]
        return [*cells, Column(failed), Spacer(1, 0)]
    analysis = row.analysis
    strong = styles.STRONG if analysis.prediction.suspicious else styles.BODY
    figure = (
        wording.percent(analysis.prediction.malignant_probability)
        if analysis.HasField("prediction")
        else ""
    )
    result = Column(course.said(compositor, analysis, strong, _RESULT_WIDTH))
    return [*cells, result, compositor.text(figure, strong)]
