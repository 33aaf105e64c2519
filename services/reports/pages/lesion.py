"""The report of one lesion over time."""

from collections.abc import Iterator

from reportlab.platypus import Flowable

from services.pb.reports_pb2 import LesionReport
from services.reports.compositor import HEADING_AND_TABLE, Compositor
from services.reports.imprint import Imprint
from services.reports.pages import course, remarks
from services.reports.pages.facts import facts
from services.reports.pages.letterhead import Letterhead
from services.reports.pages.provenance import models

_THUMBNAIL_SIDE = 76.0


class LesionPages:
    """One lesion: its pictures are decoded here, and set later."""

    def __init__(self, report: LesionReport, max_pixels: int) -> None:
        """Decode the pictures of a report that was found valid.

        Raises:
            InvalidReportError: one cannot be read, is too large or of another format.

        """
        self._report = report
        self._letterhead = Letterhead(report, report.lesion_id, "lesion", max_pixels)
        self._entries = course.entries(
            report.analyses, "lesion.analyses", max_pixels, _THUMBNAIL_SIDE
        )

    def imprint(self, compositor: Compositor) -> Imprint:
        """Return what the report says of itself."""
        report, wording = self._report, compositor.wording
        title, subject = wording.lesion_title, wording.lesion_subject
        created = report.created_at
        whose = (report.patient.name, report.patient.id)
        return self._letterhead.imprint(compositor, title, subject, created, *whose)

    def stories(self, compositor: Compositor) -> Iterator[list[Flowable]]:
        """Return the only way in which the report is set."""
        report, wording = self._report, compositor.wording
        told = [compositor.gap(), remarks.narrative(compositor, report.narrative)]
        rows = course.table(compositor, self._entries, _THUMBNAIL_SIDE)
        yield [
            *self._head(compositor),
            *facts(compositor, report.patient, report.lesion_id, report.body_site),
            *course.plots(compositor, self._entries),
            *(told if report.HasField("narrative") else []),
            *compositor.section(wording.analyses, rows, HEADING_AND_TABLE),
            *models(compositor, report.models),
        ]

    def _head(self, compositor: Compositor) -> list[Flowable]:
        report, wording = self._report, compositor.wording
        said = (
            wording.created.format(moment=compositor.moment(report.created_at)),
            wording.lesion.format(id=report.lesion_id),
        )
        return self._letterhead.head(compositor, wording.lesion_title, said)
