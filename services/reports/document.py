"""The story of the page: what stands on a report, from top to bottom."""

import threading
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from PIL import Image
from reportlab.platypus import CondPageBreak, Flowable, Paragraph, Spacer
from reportlab.platypus.doctemplate import LayoutError

from services.pb.reports_pb2 import AnalysisReport, Classification, Quality, Segmentation
from services.reports import pictures, styles, wording
from services.reports.errors import LayoutFailedError
from services.reports.flowables import Bar, Column, Legend, Panel, Picture, Row, Rule, SideBySide
from services.reports.lettering import Lettering
from services.reports.paper import Paper
from services.reports.validation import created_at

TITLE = "Dermoscopy analysis report"

_HALF = (styles.TEXT_WIDTH - styles.GAP) / 2
_PICTURE_HEIGHT = _HALF * 3 / 4
_PRINTED_PX = pictures.side_px(_HALF)
_FACTS_A_ROW = 4
_BARS_SHARE = 0.6
_NAME_WIDTH = 140.0
_FIGURE_WIDTH = 44.0
_BAR_WIDTH = 2 * _HALF * _BARS_SHARE - _NAME_WIDTH - _FIGURE_WIDTH - 2 * 10
_MEASURE_WIDTH = 2 * _HALF * (1 - _BARS_SHARE)
_SECTION = 14
"""Empty height above a section."""

# The PDF library's fonts keep a reading position and are shared. Setting is pure Python,
# which threads do not speed up; decoding pictures, which they do, stays outside.
_typesetting = threading.Lock()


def render(report: AnalysisReport, max_pixels: int) -> tuple[bytes, int]:
    """Make the PDF of a report that was found valid; the same report makes the same bytes.

    Args:
        report: what is known of the analysis.
        max_pixels: the largest picture that is decoded.

    Returns:
        A PDF file, and how many pages it has.

    Raises:
        InvalidReportError: a picture cannot be read, or it is too large.
        LayoutFailedError: a fault of ours.

    """
    shown = _prepared(report, max_pixels)
    with _typesetting:
        page = _Page(report, shown)
        try:
            story = page.story()
            return page.paper().print(story)
        except LayoutError:
            raise LayoutFailedError from None


class _Shown(NamedTuple):
    """The pictures of the page as JPEG; the heat map only when there is one."""

    outlined: bytes
    heated: bytes | None


def _prepared(report: AnalysisReport, max_pixels: int) -> _Shown:
    def decode(field: str, *formats: str) -> Image.Image:
        encoded = getattr(report, field)
        return pictures.decode(
            encoded, f"analysis.{field}", frozenset(formats), max_pixels, _PRINTED_PX
        )

    picture = decode("image", "jpeg", "png")
    mask = decode("mask_png", "png") if report.mask_png else None
    weights = decode("explanation_png", "png") if report.explanation_png else None
    return _Shown(
        outlined=pictures.with_outline(picture, mask),
        heated=pictures.with_heat(picture, weights) if weights else None,
    )


class _Page:
    """One report while it is set."""

    def __init__(self, report: AnalysisReport, shown: _Shown) -> None:
        self._report = report
        self._shown = shown
        self._assessed = report.HasField("classification")
        self._lettering = Lettering(styles.glyphs())
        self._set = self._lettering.paragraph

    def story(self) -> list[Flowable]:
        return [
            *self._head(),
            *self._facts(),
            *(self._assessment() if self._assessed else self._refusal()),
            *self._note(),
            *self._models(),
        ]

    def paper(self) -> Paper:
        """Return the sheets; set after the story, whose missing letters the foot names."""
        report = self._report
        head = (TITLE, report.patient.name, report.patient.id, report.analysis_id)
        head_line = self._lettering.line(
            " · ".join(filter(None, head)), styles.FOOT, styles.TEXT_WIDTH
        )
        notice = self._set(report.notice, styles.FOOT)
        footnote = self._lettering.footnote()
        return Paper(
            title=f"{TITLE} {report.analysis_id}",
            subject="Calculated probabilities and measures of one dermoscopic picture",
            author=report.institution or "dermserve",
            created=created_at(report),
            running_head=head_line,
            foot=[*([Paragraph(footnote, styles.FOOT)] if footnote else []), notice],
        )

    def _head(self) -> list[Flowable]:
        report = self._report
        right = styles.right(styles.LABEL)
        title = [self._set(TITLE, styles.TITLE)]
        if report.institution.strip():
            title.insert(0, self._set(report.institution, styles.INSTITUTION))
        made = [
            self._set(f"Created {wording.moment(created_at(report))}", right),
            self._set(f"Analysis {report.analysis_id}", right),
        ]
        width = styles.TEXT_WIDTH - _HALF * 0.85 - 10
        return [
            Row([(width, Column(title)), (_HALF * 0.85, Column(made))]),
            Rule(above=8, below=10),
        ]

    def _facts(self) -> list[Flowable]:
        report = self._report
        facts = {
            "Patient": report.patient.name,
            "Patient ID": report.patient.id,
            "Lesion ID": report.lesion_id,
            "Body site": report.body_site,
        }
        width = (styles.TEXT_WIDTH - (_FACTS_A_ROW - 1) * 10) / _FACTS_A_ROW
        cells: list[tuple[float, Flowable]] = [
            (width, Column([self._set(name, styles.LABEL), self._set(value, styles.BODY)]))
            for name, value in facts.items()
            if value.strip()
        ]
        return [Row(cells, below=12)] if cells else []

    def _assessment(self) -> list[Flowable]:
        report = self._report
        left = [*self._probabilities(report.classification), *self._quality(report.quality)]
        right = self._measures(report.segmentation) if report.HasField("segmentation") else []
        return [
            self._result(report.classification),
            Spacer(1, _SECTION),
            self._pictures(),
            Spacer(1, _SECTION),
            SideBySide(left, right, share=_BARS_SHARE),
        ]

    def _refusal(self) -> list[Flowable]:
        report = self._report
        measures = self._measures(report.segmentation) if report.HasField("segmentation") else []
        said: list[Flowable] = [
            self._set("Result", styles.LABEL),
            self._set("Cannot assess", styles.FIGURE),
            self._set("This picture does not allow a prediction.", styles.BODY),
        ]
        for reason in map(wording.reason, report.quality.reasons):
            said += [Spacer(1, 6), self._set(reason.why, styles.STRONG)]
            said += [self._set(reason.advice, styles.BODY)] if reason.advice else []
        said += [Spacer(1, 6), self._set(wording.WITHOUT_PREDICTION, styles.BODY)]
        panel = Panel(said, styles.CALM_TINT, styles.ACCENT)
        return [
            SideBySide([self._outlined()], [panel], share=0.5),
            *([Spacer(1, _SECTION), *measures] if measures else []),
        ]

    def _result(self, classification: Classification) -> Panel:
        suspicious = classification.suspicious
        name, code = classification.label_name, classification.label
        top = [row.probability for row in classification.probabilities if row.label == code]
        share = f", probability {wording.percent(top[0])}" if top else ""
        left = [
            self._set("Most probable class", styles.LABEL),
            self._set(name, styles.FIGURE),
            self._set(f"{code}{share}", styles.BODY),
        ]
        point = wording.threshold(classification.suspicious_threshold)
        right = [
            self._set("Malignant probability", styles.LABEL),
            self._set(wording.percent(classification.malignant_probability), styles.FIGURE),
            self._set(f"Suspicious: {'yes' if suspicious else 'no'}", styles.STRONG),
            self._set(f"Operating point: {point} or more is suspicious", styles.BODY),
        ]
        said = self._set(wording.PREDICTION, styles.SMALL)
        tint, edge = (
            (styles.ALERT_TINT, styles.ALERT) if suspicious else (styles.CALM_TINT, styles.ACCENT)
        )
        columns = Row([(270, Column(left)), (190, Column(right))], below=8)
        return Panel([columns, said], tint, edge)

    def _pictures(self) -> Flowable:
        if self._shown.heated is None:
            return self._outlined()
        spoke = f"What in the picture spoke for {self._report.classification.label}"
        caption = Row([(_HALF - 120, self._set(spoke, styles.SMALL)), (110, Legend())])
        heated = Column([Picture(self._shown.heated, _PICTURE_HEIGHT), Spacer(1, 4), caption])
        return SideBySide([self._outlined()], [heated], share=0.5)

    def _outlined(self) -> Flowable:
        said = (
            "The picture with the outline of the lesion"
            if self._report.mask_png
            else "The picture as analyzed; no outline was drawn"
        )
        picture = Picture(self._shown.outlined, _PICTURE_HEIGHT)
        return Column([picture, Spacer(1, 4), self._set(said, styles.SMALL)])

    def _probabilities(self, classification: Classification) -> list[Flowable]:
        rows = []
        for row in classification.probabilities:
            top = row.label == classification.label
            style = styles.STRONG if top else styles.BODY
            name = f"{row.label_name} ({row.label})" if row.label_name.strip() else row.label
            color = styles.ACCENT if top else styles.BAR
            cells: Sequence[tuple[float, Flowable]] = (
                (_NAME_WIDTH, self._set(name, style)),
                (_BAR_WIDTH, Bar(row.probability, color, style.leading)),
                (_FIGURE_WIDTH, self._set(wording.percent(row.probability), styles.right(style))),
            )
            rows.append(Row(cells, below=3))
        return [*self._heading("Probabilities"), *rows]

    def _quality(self, quality: Quality) -> list[Flowable]:
        said = ["Acceptable for assessment." if quality.acceptable else "Limited:"]
        said += [wording.reason(code).why for code in quality.reasons]
        texts = [self._set(text, styles.BODY) for text in said]
        return [Spacer(1, _SECTION), *self._heading("Picture quality"), *texts]

    def _measures(self, segmentation: Segmentation) -> list[Flowable]:
        rows: list[Flowable] = []
        for measure in wording.MEASURES:
            value = getattr(segmentation, measure.field)
            figure = wording.percent(value) if measure.is_share else f"{value:.2f}"
            rows += [
                Row(
                    [
                        (_MEASURE_WIDTH - _FIGURE_WIDTH - 10, self._set(measure.name, styles.BODY)),
                        (_FIGURE_WIDTH, self._set(figure, styles.right(styles.STRONG))),
                    ]
                ),
                self._set(measure.meaning, styles.SMALL),
                Spacer(1, 4),
            ]
        return [*self._heading("Measures of the outlined lesion"), *rows]

    def _note(self) -> list[Flowable]:
        lines = [line for line in self._report.note.splitlines() if line.strip()]
        if not lines:
            return []
        texts = [self._set(line, styles.BODY) for line in lines]
        return [Spacer(1, _SECTION), CondPageBreak(50), *self._heading("Note"), *texts]

    def _models(self) -> list[Flowable]:
        rows = [
            Row(
                [
                    (149, self._set(f"{model.name} {model.version}", styles.BODY)),
                    (340, self._set(f"sha256 {model.sha256}", styles.HASH)),
                ]
            )
            for model in self._report.models
        ]
        return [Spacer(1, _SECTION), CondPageBreak(50), *self._heading("Models"), *rows]

    def _heading(self, text: str) -> Iterable[Flowable]:
        return (self._set(text, styles.HEADING), Rule(above=2, below=5))
