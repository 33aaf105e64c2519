"""The sheets that a story is printed on: running head, footer, page x of y."""

import functools
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageTemplate
from reportlab.platypus.flowables import CondPageBreak

from services.reports import archive, styles, tags
from services.reports.fonts import REGULAR
from services.reports.imprint import Imprint

_FOOT_GAP = 6.0
_PAGE_NUMBER_WIDTH = 62.0


@dataclass(frozen=True)
class Paper:
    """What stands on every sheet, and what the file says about itself."""

    imprint: Imprint
    running_head: Flowable
    """One line, at the head of every sheet but the first."""
    foot: Sequence[Flowable]
    """The footnotes, if any, and last the notice."""
    page: str
    """How sheets are numbered, with ``{number}`` and ``{count}``."""
    document: UUID
    """Tells the file from every other one."""
    give_way: Callable[[], None]
    """Lets other documents be set; called between two parts of a story, and between two sheets."""

    def holds(self, story: Sequence[Flowable]) -> bool:
        """Say whether a story fits one sheet."""
        height = self._room()[1]
        for part in story:
            if not isinstance(part, CondPageBreak):
                height -= part.wrap(styles.TEXT_WIDTH, styles.PAGE_HEIGHT)[1]
        return height >= 0

    def print(self, story: list[Flowable]) -> tuple[bytes, int]:
        """Print a story; the same story always makes the same bytes.

        Returns:
            A PDF file, and how many pages it has.

        """
        buffer = io.BytesIO()
        bottom, height = self._room()
        template = _Story(
            buffer,
            paper=self,
            pagesize=(styles.PAGE_WIDTH, styles.PAGE_HEIGHT),
            invariant=1,
            initialFontName=REGULAR,
        )
        frame = Frame(
            styles.MARGIN,
            bottom,
            styles.TEXT_WIDTH,
            height,
            leftPadding=0,
            rightPadding=0,
            topPadding=0,
            bottomPadding=0,
        )
        template.addPageTemplates(PageTemplate(frames=[frame]))
        template.build(story, canvasmaker=functools.partial(_Sheets, paper=self))
        return archive.with_line_ends(buffer.getvalue()), template.page

    def furnish(self, canvas: Canvas, number: int, count: int) -> None:
        """Draw what a sheet carries besides the story."""
        if number > 1:
            self.running_head.wrap(styles.TEXT_WIDTH, styles.TOP)
            self.running_head.drawOn(canvas, styles.MARGIN, styles.PAGE_HEIGHT - 32)
        y = styles.BOTTOM + self._foot_height()
        right = styles.PAGE_WIDTH - styles.MARGIN
        with tags.decoration(canvas):
            canvas.setStrokeColor(styles.RULE)
            canvas.setLineWidth(0.6)
            canvas.line(styles.MARGIN, y + 4, right, y + 4)
        canvas.setFont(REGULAR, styles.FOOT.fontSize)
        canvas.setFillColor(styles.MUTED)
        said = self.page.format(number=number, count=count)
        with tags.tagged(canvas, tags.Mark("P")):
            canvas.drawRightString(right, y - styles.FOOT.fontSize, said)
        for part in self.foot:
            y -= _height(part)
            part.drawOn(canvas, styles.MARGIN, y)

    def _room(self) -> tuple[float, float]:
        """Return where the story ends above the foot, and the height that it has."""
        bottom = styles.BOTTOM + self._foot_height() + 2 * _FOOT_GAP
        return bottom, styles.PAGE_HEIGHT - styles.TOP - bottom

    def _foot_height(self) -> float:
        return sum(map(_height, self.foot))


def _height(part: Flowable) -> float:
    return part.wrap(styles.TEXT_WIDTH - _PAGE_NUMBER_WIDTH, styles.PAGE_HEIGHT)[1]


class _Story(BaseDocTemplate):
    """Sets one part after the other; a story that did not end would keep all others waiting."""

    def __init__(self, *args: Any, paper: Paper, **options: Any) -> None:
        super().__init__(*args, **options)
        self._paper = paper

    def afterFlowable(self, flowable: Flowable) -> None:  # noqa: N802 - reportlab's
        del flowable
        self._paper.give_way()


class _Sheets(Canvas):
    """Keeps finished sheets back until their number is known, for "page x of y"."""

    def __init__(self, *args: Any, paper: Paper, **options: Any) -> None:
        super().__init__(*args, **options)
        self._paper = paper
        self._kept: list[dict[str, Any]] = []
        self.marks: list[tags.Mark] = []

    def showPage(self) -> None:  # noqa: N802 - reportlab's
        self._kept.append(dict(self.__dict__))
        self.marks = []
        self._startPage()  # type: ignore[attr-defined]

    def save(self) -> None:
        marks = []
        for number, sheet in enumerate(self._kept, start=1):
            self._paper.give_way()
            self.__dict__.update(sheet)
            self._paper.furnish(self, number, len(self._kept))
            marks.append(self.marks)
            super().showPage()
        tags.build(self._doc, marks, self._paper.give_way)  # type: ignore[attr-defined]
        # Last, for the template has words of its own about the file.
        archive.describe(self, self._paper.imprint, self._paper.document)
        super().save()
