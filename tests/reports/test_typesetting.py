"""The PDF library goes from document to document, and no document notices."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.pb.reports_pb2 import RenderRequest
from services.reports import document
from services.reports.typesetting import Typesetting
from tests.reports import messages
from tests.reports.reading import MAX_PIXELS

_WAIT_S = 120


_SLICE_S = 10.0


class Clock:
    """Goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Counted(Typesetting):
    """Hands over wherever it can, and counts how often."""

    def __init__(self) -> None:
        super().__init__(slice_s=0)
        self.handed_over = 0

    def give_way(self) -> None:
        # Only whoever has the turn shortens the line.
        self.handed_over += bool(self._line)
        super().give_way()


def in_line(typesetting: Typesetting, count: int) -> None:
    until = time.monotonic() + _WAIT_S
    while len(typesetting._line) != count:
        assert time.monotonic() < until
        threading.Event().wait(0.005)


def test_who_gives_way_goes_on_after_those_who_waited() -> None:
    clock = Clock()
    typesetting = Typesetting(_SLICE_S, clock)
    order: list[str] = []

    def other(name: str) -> None:
        with typesetting.turn():
            order.append(name)

    with ThreadPoolExecutor(2) as threads, typesetting.turn():
        for count, name in enumerate(("second", "third"), start=1):
            threads.submit(other, name)
            in_line(typesetting, count)
        order.append("first")
        clock.now += _SLICE_S
        typesetting.give_way()
        order.append("first again")
    assert order == ["first", "second", "third", "first again"]


def test_who_has_only_begun_keeps_the_turn_however_many_wait() -> None:
    clock = Clock()
    typesetting = Typesetting(_SLICE_S, clock)
    order: list[str] = []

    def other(name: str) -> None:
        with typesetting.turn():
            order.append(name)

    with ThreadPoolExecutor(2) as threads, typesetting.turn():
        for name in ("second", "third"):
            threads.submit(other, name)
            in_line(typesetting, 1)
            clock.now += 0.9 * _SLICE_S
            typesetting.give_way()
            order.append("first")
            clock.now += 0.1 * _SLICE_S
            typesetting.give_way()
    assert order == ["first", "second", "first", "third"]


def test_who_gives_way_to_nobody_goes_on_at_once() -> None:
    typesetting = Typesetting()
    with typesetting.turn():
        typesetting.give_way()
    with typesetting.turn():
        pass


def test_a_document_that_fails_lets_the_next_one_in() -> None:
    typesetting = Typesetting()
    with pytest.raises(ZeroDivisionError), typesetting.turn():
        raise ZeroDivisionError
    with ThreadPoolExecutor(1) as threads:
        assert threads.submit(_turn_of, typesetting).result(_WAIT_S)


def _turn_of(typesetting: Typesetting) -> bool:
    with typesetting.turn():
        return True


def test_documents_that_are_set_in_turns_have_the_bytes_that_they_have_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = [messages.batch(60), messages.lesion_over_time(), messages.filed(), messages.batch(40)]
    asked[3].language = "de"
    alone = [rendered(request) for request in asked]
    typesetting = Counted()
    monkeypatch.setattr(document, "_typesetting", typesetting)
    with ThreadPoolExecutor(len(asked)) as threads:
        with typesetting.turn():
            together = threads.map(rendered, asked)
            in_line(typesetting, len(asked))
        assert list(together) == alone
    assert typesetting.handed_over > len(asked)


def rendered(request: RenderRequest) -> bytes:
    return document.render(request, MAX_PIXELS)[0]
