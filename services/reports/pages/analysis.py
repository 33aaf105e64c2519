"""The report of one analysis."""

from collections.abc import Iterator

from PIL import Image
from reportlab.platypus import Flowable

from services.pb.reports_pb2 import AnalysisReport, AnalysisSummary, Prediction
from services.reports import pictures, styles
from services.reports.blocks.flowables import SideBySide
from services.reports.compositor import HEADING_AND_TABLE, Compositor
from services.reports.imprint import Imprint
from services.reports.pages import course, findings, remarks
from services.reports.pages.facts import facts
from services.reports.pages.letterhead import Letterhead
from services.reports.pages.provenance import provenance
from services.reports.pages.verdict import refusal, verdict

_HALF = styles.HALF_WIDTH
_PICTURE_HEIGHT = _HALF * 3 / 4
_LOWER_PICTURES = (140.0, 96.0)
_THUMBNAIL_SIDE = 40.0
_SHORT_NOTE = 200
"""Characters."""


class AnalysisPages:
    """One analysis: its pictures are decoded here, and set later."""

    def __init__(self, report: AnalysisReport, max_pixels: int) -> None:
        """Decode the pictures of a report that was found valid.

        Raises:
            InvalidReportError: one cannot be read, is too large or of another format.

        """
        self._report = report
        self._letterhead = Letterhead(report, report.analysis_id, "analysis", max_pixels)
        self._layers = _layers(report, max_pixels)
        self._earlier = course.entries(
            report.earlier, "analysis.earlier", max_pixels, _THUMBNAIL_SIDE
        )

    def imprint(self, compositor: Compositor) -> Imprint:
        """Return what the report says of itself."""
        report, wording = self._report, compositor.wording
        title, subject = wording.analysis_title, wording.analysis_subject
        created = report.requested_at or report.created_at
        whose = (report.patient.name, report.patient.id)
        return self._letterhead.imprint(compositor, title, subject, created, *whose)

    def stories(self, compositor: Compositor) -> Iterator[list[Flowable]]:
        """Return the page as it should be; then set closer, for where that is too tall."""
        yield self._story(compositor, _PICTURE_HEIGHT)
        compositor.set_closer()
        for height in _LOWER_PICTURES:
            yield self._story(compositor, height)

    def _story(self, compositor: Compositor, height: float) -> list[Flowable]:
        report = self._report
        assessed = report.HasField("classification")
        return [
            *self._head(compositor),
            *facts(compositor, report.patient, report.lesion_id, report.body_site),
            *(self._found if assessed else self._refused)(compositor, height),
            *self._course(compositor),
            *self._remarks(compositor),
            *provenance(compositor, report),
        ]

    def _head(self, compositor: Compositor) -> list[Flowable]:
        report, wording = self._report, compositor.wording
        said = (*self._moments(compositor), wording.analysis.format(id=report.analysis_id))
        return self._letterhead.head(compositor, wording.analysis_title, said)

    def _moments(self, compositor: Compositor) -> list[str]:
        report, wording = self._report, compositor.wording
        analyzed = compositor.moment(report.created_at)
        if not report.requested_at:
            return [wording.created.format(moment=analyzed)]
        asked = compositor.moment(report.requested_at)
        return [wording.analyzed.format(moment=analyzed), wording.requested.format(moment=asked)]

    def _found(self, compositor: Compositor, height: float) -> list[Flowable]:
        report = self._report
        return [
            verdict(compositor, report.classification),
            compositor.gap(),
            findings.pictures(compositor, report, self._layers, height),
            compositor.gap(),
            findings.figures(compositor, report),
        ]

    def _refused(self, compositor: Compositor, height: float) -> list[Flowable]:
        report = self._report
        measures = findings.measures(compositor, report)
        shown = findings.outlined(compositor, report, self._layers, height)
        said = refusal(compositor, report.quality.reasons)
        return [
            SideBySide([shown], [said], share=0.5),
            *([compositor.gap(), *measures] if measures else []),
        ]

    def _course(self, compositor: Compositor) -> list[Flowable]:
        if not self._earlier:
            return []
        this = course.Entry(_summary(self._report), None, compositor.wording.this_analysis)
        entries = [*self._earlier, this]
        rows = course.table(compositor, entries, _THUMBNAIL_SIDE)
        return compositor.section(compositor.wording.earlier, rows, HEADING_AND_TABLE)

    def _remarks(self, compositor: Compositor) -> list[Flowable]:
        """Return what people wrote, beside what a machine wrote where both are short."""
        report = self._report
        found = report.classification
        note = remarks.note(compositor, report.note)
        people: list[Flowable] = []
        if report.HasField("assessment"):
            predicted = compositor.label(found.label, found.label_name)
            people += [
                compositor.gap(),
                *remarks.opinion(compositor, report.assessment, predicted),
            ]
        if not report.HasField("narrative"):
            return [*people, *note]
        machine = [compositor.gap(), remarks.narrative(compositor, report.narrative)]
        if len(report.note) <= _SHORT_NOTE and (people or note):
            return [SideBySide([*people, *note], machine, share=0.45)]
        return [*people, *machine, *note]


def _layers(report: AnalysisReport, max_pixels: int) -> findings.Layers:
    def decode(field: str, *formats: str) -> Image.Image:
        return pictures.decode(
            getattr(report, field),
            f"analysis.{field}",
            frozenset(formats),
            max_pixels,
            pictures.side_px(_HALF),
        )

    picture = decode("image", "jpeg", "png")
    mask = decode("mask_png", "png") if report.mask_png else None
    weights = decode("explanation_png", "png") if report.explanation_png else None
    return findings.Layers(
        outlined=pictures.with_outline(picture, mask),
        heated=pictures.with_heat(picture, weights) if weights else None,
    )


def _summary(report: AnalysisReport) -> AnalysisSummary:
    """Return this analysis as one more row behind the earlier ones."""
    summary = AnalysisSummary(
        analysis_id=report.analysis_id,
        created_at=report.created_at,
        quality_reasons=report.quality.reasons,
    )
    if report.HasField("classification"):
        found = report.classification
        summary.prediction.CopyFrom(
            Prediction(
                label=found.label,
                label_name=found.label_name,
                malignant_probability=found.malignant_probability,
                suspicious=found.suspicious,
            )
        )
    if report.HasField("segmentation"):
        summary.area_fraction = report.segmentation.area_fraction
    return summary
