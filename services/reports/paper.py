"""The sheets that a story is printed on: running head, footer, page x of y, metadata."""

import datetime as dt
import functools
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageTemplate, Paragraph

from services.reports import styles

_FOOT_GAP = 6.0
_PAGE_NUMBER_WIDTH = 62.0


@dataclass(frozen=True)
class Paper:
    """What stands on every sheet, and what the file says about itself."""

    title: str
    subject: str
    author: str
    created: dt.datetime
    running_head: str
    """One line, at the head of every sheet but the first."""
    foot: Sequence[Paragraph]
    """The footnotes, if any, and last the notice."""

    def print(self, story: list[Flowable]) -> tuple[bytes, int]:
        """Print a story; the same story always makes the same bytes.

        Returns:
            A PDF file, and how many pages it has.

        """
        buffer = io.BytesIO()
        bottom = styles.BOTTOM + self._foot_height() + 2 * _FOOT_GAP
        template = BaseDocTemplate(
            buffer,
            pagesize=(styles.PAGE_WIDTH, styles.PAGE_HEIGHT),
            title=self.title,
            subject=self.subject,
            author=self.author,
            creator="dermserve",
            lang="en",
            invariant=1,
            initialFontName=styles.REGULAR,
        )
        frame = Frame(
            styles.MARGIN,
            bottom,
            styles.TEXT_WIDTH,
            styles.PAGE_HEIGHT - styles.TOP - bottom,
            leftPadding=0,
            rightPadding=0,
            topPadding=0,
            bottomPadding=0,
        )
        template.addPageTemplates(PageTemplate(frames=[frame]))
        template.build(story, canvasmaker=functools.partial(_Sheets, paper=self))
        return buffer.getvalue(), template.page

    def furnish(self, canvas: Canvas, number: int, count: int) -> None:
        """Draw what a sheet carries besides the story."""
        if number > 1:
            canvas.setFont(styles.REGULAR, styles.FOOT.fontSize)
            canvas.setFillColor(styles.MUTED)
            canvas.drawString(styles.MARGIN, styles.PAGE_HEIGHT - 30, self.running_head)
        y = styles.BOTTOM + self._foot_height()
        canvas.setStrokeColor(styles.RULE)
        canvas.setLineWidth(0.6)
        canvas.line(styles.MARGIN, y + 4, styles.PAGE_WIDTH - styles.MARGIN, y + 4)
        canvas.setFont(styles.REGULAR, styles.FOOT.fontSize)
        canvas.setFillColor(styles.MUTED)
        right = styles.PAGE_WIDTH - styles.MARGIN
        canvas.drawRightString(right, y - styles.FOOT.fontSize, f"Page {number} of {count}")
        for paragraph in self.foot:
            y -= self._height(paragraph)
            paragraph.drawOn(canvas, styles.MARGIN, y)

    def _foot_height(self) -> float:
        return sum(self._height(paragraph) for paragraph in self.foot)

    @staticmethod
    def _height(paragraph: Paragraph) -> float:
        return paragraph.wrap(styles.TEXT_WIDTH - _PAGE_NUMBER_WIDTH, styles.PAGE_HEIGHT)[1]


class _Sheets(Canvas):
    """Keeps finished sheets back until their number is known, for "page x of y"."""

    def __init__(self, *args: Any, paper: Paper, **options: Any) -> None:
        super().__init__(*args, **options)
        self._paper = paper
        self._kept: list[dict[str, Any]] = []
        stamp = f"D:{paper.created:%Y%m%d%H%M%S}+00'00'"
        self.setDateFormatter(lambda *_: stamp)
        self.setViewerPreference("DisplayDocTitle", "true")

    def showPage(self) -> None:  # noqa: N802 - reportlab's
        self._kept.append(dict(self.__dict__))
        self._startPage()  # type: ignore[attr-defined]

    def save(self) -> None:
        for number, sheet in enumerate(self._kept, start=1):
            self.__dict__.update(sheet)
            self._paper.furnish(self, number, len(self._kept))
            super().showPage()
        super().save()
