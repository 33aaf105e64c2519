"""The PDF library goes from document to document, and no document notices."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.pb.reports_pb2 import RenderRequest
from services.reports import document
from services.reports.typesetting import Typesetting
from tests.reports import messages
from tests.reports.reading import MAX_PIXELS

_WAIT_S = 60


def in_line(typesetting: Typesetting, count: int) -> None:
    while len(typesetting._line) != count:
        threading.Event().wait(0.005)


def test_who_gives_way_goes_on_after_those_who_waited() -> None:
    typesetting = Typesetting()
    order: list[str] = []

    def other(name: str) -> None:
        with typesetting.turn():
            order.append(name)

    with ThreadPoolExecutor(2) as threads, typesetting.turn():
        for count, name in enumerate(("second", "third"), start=1):
            threads.submit(other, name)
            in_line(typesetting, count)
        order.append("first")
        typesetting.give_way()
        order.append("first again")
    assert order == ["first", "second", "third", "first again"]


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


def test_documents_that_are_set_in_turns_have_the_bytes_that_they_have_alone() -> None:
    asked = [messages.batch(60), messages.lesion_over_time(), messages.filed(), messages.batch(40)]
    asked[3].language = "de"
    alone = [rendered(request) for request in asked]
    with ThreadPoolExecutor(len(asked)) as threads:
        assert list(threads.map(rendered, asked)) == alone


def rendered(request: RenderRequest) -> bytes:
    return document.render(request, MAX_PIXELS)[0]
