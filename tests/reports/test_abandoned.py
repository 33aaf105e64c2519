"""A document whose caller leaves while it waits for the PDF library is set no further."""

import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest
from reportlab.platypus import Flowable

from services.reports import document
from services.reports.blocks.listing import Listing
from services.reports.compositor import Compositor
from services.reports.errors import AbandonedError
from services.reports.pages.analysis import AnalysisPages
from services.reports.typesetting import Typesetting
from tests.reports import messages
from tests.reports.reading import MAX_PIXELS
from tests.reports.test_typesetting import _WAIT_S, in_line


class Watched:
    """A batch that is set, may give way after each row, and whose caller may leave."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, until_others_wait_at: int = 0) -> None:
        self.typesetting = Typesetting(slice_s=0)
        self.left = threading.Event()
        self.rows = 0
        self._until_others_wait_at = until_others_wait_at
        self._listing = Compositor.listing
        watched = self

        def listing(self: Compositor, head: Flowable, rows: Iterable[Flowable]) -> Listing:
            return watched._listing(self, head, map(watched._set, rows))

        monkeypatch.setattr(document, "_typesetting", self.typesetting)
        monkeypatch.setattr(Compositor, "listing", listing)

    def render(self) -> None:
        document.render(messages.batch(20), MAX_PIXELS, lambda: not self.left.is_set())

    def _set(self, row: Flowable) -> Flowable:
        self.rows += 1
        if self.rows == self._until_others_wait_at:
            in_line(self.typesetting, 1)
        return row


def test_who_left_before_the_turn_came_has_nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(monkeypatch)
    with ThreadPoolExecutor(1) as threads:
        with watched.typesetting.turn():
            rendering = threads.submit(watched.render)
            in_line(watched.typesetting, 1)
            watched.left.set()
        with pytest.raises(AbandonedError):
            rendering.result(_WAIT_S)

    assert watched.rows == 0


def test_who_leaves_while_others_go_first_has_no_further_row_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watched = Watched(monkeypatch, until_others_wait_at=1)
    with ThreadPoolExecutor(1) as threads:
        with watched.typesetting.turn():
            rendering = threads.submit(watched.render)
            in_line(watched.typesetting, 1)
        with watched.typesetting.turn():
            in_line(watched.typesetting, 1)
            watched.left.set()
        with pytest.raises(AbandonedError):
            rendering.result(_WAIT_S)

    assert watched.rows == 1


def test_who_leaves_in_the_midst_of_a_story_has_it_set_no_further(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn: list[Flowable] = []

    class Part(Flowable):
        def draw(self) -> None:
            drawn.append(self)

    story: list[Flowable] = [Part() for _ in range(5)]
    monkeypatch.setattr(AnalysisPages, "stories", lambda *_: iter([story]))

    with pytest.raises(AbandonedError):
        document.render(messages.assessed(), MAX_PIXELS, lambda: not drawn)

    assert len(drawn) == 1
