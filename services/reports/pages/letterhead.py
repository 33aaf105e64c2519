"""The head of a report: who made it, what it is, and where its record is."""

from collections.abc import Sequence
from typing import NamedTuple

from reportlab.platypus import Flowable, Spacer

from services.reports import styles
from services.reports.blocks.code import Code
from services.reports.blocks.flowables import Column, Picture, Row, Rule
from services.reports.compositor import Compositor

_MADE_WIDTH = styles.HALF_WIDTH * 0.85
_CODE_SIDE = 56.0
_LOGO_HEIGHT = 34.0
LOGO_WIDTH = 90.0
_GAP = 10.0
_SHORT_ID = 8
"""Characters that tell records apart well enough to find one by hand."""


class Head(NamedTuple):
    """What a report says of itself."""

    institution: str
    logo: bytes
    """PNG; empty without one."""
    title: str
    said: Sequence[str]
    """What stands at the right: when it was made, and its id."""
    record_id: str
    code: Code | None
    """Where the record is read; None where that is not known."""


def code(record_url: str) -> Code | None:
    """Encode where the record is read: once a report, for it is the dearest part of the head."""
    return Code(record_url, _CODE_SIDE) if record_url else None


def letterhead(compositor: Compositor, head: Head) -> list[Flowable]:
    """Return the head of the first page."""
    title = compositor.text(head.title, styles.TITLE)
    said = _said(compositor, head)
    name = [compositor.text(head.institution, styles.INSTITUTION)] * bool(head.institution.strip())
    if not head.logo and not head.code:
        return [_beside(Column([*name, title]), said, styles.TEXT_WIDTH), _rule()]
    named = _named_code(compositor, head)
    width = styles.TEXT_WIDTH - sum(side + _GAP for side, _ in named)
    left: Flowable = Column(name)
    if head.logo:
        logo = Picture(head.logo, _LOGO_HEIGHT, head.institution or "Logo")
        left = Row([(LOGO_WIDTH, logo), (width - _MADE_WIDTH - LOGO_WIDTH - 2 * _GAP, left)])
    stacked = Column([_beside(left, said, width), Spacer(1, 2), title])
    return [Row([(width, stacked), *named]), _rule()]


def _said(compositor: Compositor, head: Head) -> Column:
    right = styles.right(styles.LABEL)
    return Column([compositor.text(text, right) for text in head.said])


def _beside(left: Flowable, right: Flowable, width: float) -> Row:
    return Row([(width - _MADE_WIDTH - _GAP, left), (_MADE_WIDTH, right)], gap=_GAP)


def _rule() -> Rule:
    return Rule(above=8, below=10)


def _named_code(compositor: Compositor, head: Head) -> list[tuple[float, Flowable]]:
    if not head.code:
        return []
    short = compositor.wording.record.format(id=head.record_id[:_SHORT_ID])
    name = compositor.text(short, styles.TINY)
    return [(_CODE_SIDE, Column([head.code, name]))]
