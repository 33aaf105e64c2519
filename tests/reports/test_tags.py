"""What screen readers are told: everything that is drawn, what it is, and in which order."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pypdf import PdfReader
from pypdf.generic import ContentStream

from services.pb.reports_pb2 import AnalysisSummary, RenderRequest
from services.reports import document
from tests.reports import messages
from tests.reports.reading import MAX_PIXELS

DRAWS = frozenset({b"Tj", b"TJ", b"'", b'"', b"Do", b"S", b"s", b"f", b"f*", b"B", b"b"})
KINDS: dict[str, Callable[[], RenderRequest]] = {
    "filed": messages.filed,
    "refused": messages.not_assessed,
    "lesion": messages.lesion_over_time,
    "batch": lambda: messages.batch(30),
    "batch without some pictures": lambda: without_pictures(30, 6),
}


def without_pictures(rows: int, *numbers: int) -> RenderRequest:
    request = messages.batch(rows)
    for number in numbers:
        shown = request.batch.rows[number - 1].analysis
        shown.ClearField("image")
        shown.ClearField("mask_png")
        shown.no_picture = AnalysisSummary.NO_PICTURE_OUT_OF_TIME
    return request


def read(request: RenderRequest) -> PdfReader:
    return PdfReader(io.BytesIO(document.render(request, MAX_PIXELS)[0]), strict=True)


@pytest.fixture(scope="module", params=KINDS)
def reader(request: pytest.FixtureRequest) -> PdfReader:
    return read(KINDS[request.param]())


def elements(reader: PdfReader) -> list[Any]:
    tree: Any = reader.root_object["/StructTreeRoot"]
    whole = tree["/K"]
    assert whole["/S"] == "/Document"
    return [each.get_object() for each in whole["/K"]]


def operations(reader: PdfReader) -> Iterator[tuple[int, Any, bytes]]:
    """Return what each page does: its number, operands, operator."""
    for number, page in enumerate(reader.pages):
        for operands, operator in contents(page, reader):
            yield number, operands, operator


def contents(page: Any, reader: PdfReader) -> Any:
    return ContentStream(page["/Contents"], reader).operations


def test_the_file_says_that_it_is_tagged(reader: PdfReader) -> None:
    marked: Any = reader.root_object["/MarkInfo"]
    assert marked["/Marked"]
    assert all(str(page["/Tabs"]) == "/S" for page in reader.pages)


def test_nothing_is_drawn_without_being_told_or_told_to_tell_nothing(reader: PdfReader) -> None:
    depth = 0
    for _, _, operator in operations(reader):
        depth += {b"BDC": 1, b"BMC": 1, b"EMC": -1}.get(operator, 0)
        assert depth in (0, 1)
        assert depth == 1 or operator not in DRAWS


def test_every_mark_of_every_page_has_its_place_in_the_tree(reader: PdfReader) -> None:
    marks = [
        (number, int(operands[1]["/MCID"]), str(operands[0]))
        for number, operands, operator in operations(reader)
        if operator == b"BDC"
    ]
    pages = [page.indirect_reference for page in reader.pages]
    placed = [
        (pages.index(each.raw_get("/Pg")), int(each["/K"]), str(each["/S"]))
        for each in elements(reader)
    ]
    assert placed == marks
    tree: Any = reader.root_object["/StructTreeRoot"]
    numbers = tree["/ParentTree"]["/Nums"]
    for page in reader.pages:
        at = numbers.index(page["/StructParents"])
        found = [each.get_object() for each in numbers[at + 1].get_object()]
        assert [int(each["/K"]) for each in found] == list(range(len(found)))
        assert all(each["/Pg"] == page for each in found)


def test_pictures_are_told_in_words_and_there_is_one_title(reader: PdfReader) -> None:
    found = elements(reader)
    assert [each["/S"] for each in found].count("/H1") == 1
    assert all(each["/Alt"].strip() for each in found if each["/S"] == "/Figure")


def test_turned_text_is_told_as_it_was_written() -> None:
    request = messages.assessed()
    request.analysis.patient.name = "مريم Smith"
    told = [each["/ActualText"] for each in elements(read(request)) if "/ActualText" in each]
    assert told == ["مريم Smith"]


def test_what_is_said_of_a_picture_that_is_not_there_is_read_like_other_text() -> None:
    shown, told = (
        [str(each["/S"]) for each in elements(read(request))]
        for request in (messages.batch(8), without_pictures(8, 6))
    )
    assert told.count("/Figure") == shown.count("/Figure") - 1
    # The sentence over the table, and what stands in the picture's place.
    assert told.count("/P") == shown.count("/P") + 2
