"""Sets words, figures and headings of one document, in its language."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence

from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import CondPageBreak, Flowable, Spacer

from services.pb.reports_pb2 import Assessment
from services.reports import styles
from services.reports.blocks.flowables import Column, Rule
from services.reports.blocks.listing import Listing
from services.reports.lettering import Lettering
from services.reports.wordings import Wording

_CANNOT_TELL = "cannot_tell"

_SHORT = 3
"""Lines of a name in a cell of a table."""

_WIDE, _NARROW = 14.0, 9.0
_HEADING_AND_MORE = 50.0
HEADING_AND_TABLE = 110.0
"""Heights that a page must still have for a section to begin on it."""


class Compositor:
    """One document while it is set."""

    def __init__(self, wording: Wording, give_way: Callable[[], None]) -> None:
        """Begin a document.

        Args:
            wording: its language.
            give_way: lets other documents be set; called between stretches of a long one.

        """
        self.wording = wording
        self.give_way = give_way
        self.lettering = Lettering(wording.missing_letters, wording.and_more)
        self.text = self.lettering.paragraph
        self._gap = _WIDE

    def set_closer(self) -> None:
        """Leave less between the sections from here on."""
        self._gap = _NARROW

    def short(
        self, text: str, style: ParagraphStyle, width: float, lines: int = _SHORT
    ) -> Flowable:
        """Set text in a cell of a table, cut to what so many lines of it hold."""
        return self.lettering.short(text, style, lines * width)

    def gap(self) -> Flowable:
        """Return the empty height between two sections."""
        return Spacer(1, self._gap)

    def heading(self, text: str) -> list[Flowable]:
        """Set a heading over a hairline."""
        return [self.text(text, styles.HEADING), Rule(above=2, below=5)]

    def section(
        self, heading: str, items: Sequence[Flowable], room: float = _HEADING_AND_MORE
    ) -> list[Flowable]:
        """Set a section; its heading never stands alone at the foot of a page.

        Args:
            heading: of the section.
            items: under it.
            room: what the page must still have for it to begin there, in points.

        """
        return [self.gap(), CondPageBreak(room), *self.heading(heading), *items]

    def listing(self, head: Flowable, rows: Iterable[Flowable]) -> Listing:
        """Set a table of rows, however many: others come between any two of them."""
        listed = []
        for row in rows:
            listed.append(row)
            self.give_way()
        return Listing(head, listed, self.give_way)

    def labelled(self, label: str, *lines: tuple[str, ParagraphStyle]) -> Column:
        """Set a small label over lines of text."""
        return Column(
            [self.text(label, styles.LABEL), *(self.text(text, style) for text, style in lines)]
        )

    def label(self, code: str, name: str) -> str:
        """Return a class by its name and code; the name alone would hide what was meant."""
        named = self.wording.label_name(code, name)
        return f"{named} ({code})" if named.strip() else code

    def stood_for(self, given: Assessment, predicted: str) -> str:
        """Return the class that a clinician stands for, or that they cannot tell.

        Args:
            given: the clinician's own assessment.
            predicted: the class that was predicted, for one who agrees and names none.

        """
        if given.label == _CANNOT_TELL:
            return self.wording.cannot_tell
        return self.label(given.label, given.label_name) if given.label else predicted

    def moment(self, rfc3339: str) -> str:
        """Return a time that was found valid, in words."""
        return self.wording.moment(dt.datetime.fromisoformat(rfc3339))

    def day(self, iso: str) -> str:
        """Return a day or a time that was found valid, as a day in words."""
        return self.wording.date_of(dt.datetime.fromisoformat(iso))
