"""The head of a report: who made it, what it is, and where its record is."""

import datetime as dt
from collections.abc import Sequence

from reportlab.platypus import Flowable, Spacer

from services.pb.reports_pb2 import AnalysisReport, BatchReport, LesionReport
from services.reports import pictures, styles
from services.reports.blocks.code import Code
from services.reports.blocks.flowables import Column, Picture, Row, Rule
from services.reports.compositor import Compositor
from services.reports.imprint import Imprint

_MADE_WIDTH = styles.HALF_WIDTH * 0.85
_CODE_SIDE = 56.0
_LOGO_HEIGHT = 34.0
_LOGO_WIDTH = 90.0
_GAP = 10.0
_SHORT_ID = 8
"""Characters that tell records apart well enough to find one by hand."""


class Letterhead:
    """The origin of one report: its pictures are made here, and set later, maybe more than once."""

    def __init__(
        self,
        report: AnalysisReport | LesionReport | BatchReport,
        record_id: str,
        field: str,
        max_pixels: int,
    ) -> None:
        """Decode the logo of a report that was found valid, and encode where its record is read.

        Args:
            report: that says where it comes from.
            record_id: of what it is about.
            field: of the message that it stands in, for the error's words.
            max_pixels: refuse a larger logo before decoding.

        Raises:
            InvalidReportError: the logo cannot be read, is too large or of another format.

        """
        self._report = report
        self._record_id = record_id
        self._logo = pictures.logo(report.logo, f"{field}.logo", max_pixels, _LOGO_WIDTH)
        self._code = Code(report.record_url, _CODE_SIDE) if report.record_url else None

    def head(self, compositor: Compositor, title: str, said: Sequence[str]) -> list[Flowable]:
        """Return the head of the first page.

        Args:
            compositor: sets it.
            title: of the report.
            said: what stands at the right: when it was made, and its id.

        """
        set_title = compositor.text(title, styles.TITLE)
        made = _said(compositor, said)
        institution = self._report.institution
        name = [compositor.text(institution, styles.INSTITUTION)] * bool(institution.strip())
        if not self._logo and not self._code:
            return [_beside(Column([*name, set_title]), made, styles.TEXT_WIDTH), _rule()]
        named = self._named_code(compositor)
        width = styles.TEXT_WIDTH - sum(side + _GAP for side, _ in named)
        left: Flowable = Column(name)
        if self._logo:
            logo = Picture(self._logo, _LOGO_HEIGHT, institution or "Logo")
            left = Row([(_LOGO_WIDTH, logo), (width - _MADE_WIDTH - _LOGO_WIDTH - 2 * _GAP, left)])
        stacked = Column([_beside(left, made, width), Spacer(1, 2), set_title])
        return [Row([(width, stacked), *named]), _rule()]

    def imprint(
        self, compositor: Compositor, title: str, subject: str, created: str, *whose: str
    ) -> Imprint:
        """Return what the report says of itself.

        Args:
            compositor: of its language.
            title: of the report.
            subject: what it is about.
            created: when it was asked for, RFC 3339.
            whose: the patient, for the head of every sheet.

        """
        wording = compositor.wording
        return Imprint(
            title=title,
            record_id=self._record_id,
            subject=subject,
            institution=self._report.institution,
            created=dt.datetime.fromisoformat(created),
            language=wording.language,
            running_head=(title, *whose, self._record_id),
            notice=wording.notice(self._report.notice),
        )

    def _named_code(self, compositor: Compositor) -> list[tuple[float, Flowable]]:
        if not self._code:
            return []
        short = compositor.wording.record.format(id=self._record_id[:_SHORT_ID])
        name = compositor.text(short, styles.TINY)
        return [(_CODE_SIDE, Column([self._code, name]))]


def _said(compositor: Compositor, said: Sequence[str]) -> Column:
    right = styles.right(styles.LABEL)
    return Column([compositor.text(text, right) for text in said])


def _beside(left: Flowable, right: Flowable, width: float) -> Row:
    return Row([(width - _MADE_WIDTH - _GAP, left), (_MADE_WIDTH, right)], gap=_GAP)


def _rule() -> Rule:
    return Rule(above=8, below=10)
