"""Which document a file says it is, and of when."""

import io
from collections.abc import Callable

import pytest
from pypdf import PdfReader

from services.pb.reports_pb2 import RenderRequest
from services.reports import document
from services.reports.errors import InvalidReportError
from services.reports.validation import check
from tests.reports import messages
from tests.reports.reading import MAX_PIXELS, text
from tests.reports.test_archive import said

_DOCUMENT = "{http://ns.adobe.com/xap/1.0/mm/}DocumentID"


def read(request: RenderRequest) -> PdfReader:
    return PdfReader(io.BytesIO(document.render(request, MAX_PIXELS)[0]))


def german(request: RenderRequest) -> None:
    request.language = "de"


def unassessed(request: RenderRequest) -> None:
    request.analysis.ClearField("assessment")


def renamed(request: RenderRequest) -> None:
    request.analysis.patient.name = "Somebody Else"


def asked_later(request: RenderRequest) -> None:
    request.analysis.requested_at = "2026-02-01T10:00:01Z"


def asked(change: Callable[[RenderRequest], None] | None = None) -> RenderRequest:
    request = messages.filed()
    request.analysis.requested_at = "2026-02-01T10:00:00Z"
    if change:
        change(request)
    return request


@pytest.mark.parametrize("change", [german, unassessed, renamed, asked_later])
def test_files_that_differ_are_different_documents(
    change: Callable[[RenderRequest], None],
) -> None:
    first, other = read(asked()), read(asked(change))
    assert said(first, _DOCUMENT) != said(other, _DOCUMENT)
    assert first.trailer["/ID"] != other.trailer["/ID"]


def test_a_report_says_when_it_was_asked_for_beside_when_the_analysis_was_made() -> None:
    words = text(asked())
    assert "Analyzed 31 January 2026, 09:30 UTC" in words
    assert "Report of 1 February 2026, 10:00 UTC" in words


def test_a_file_is_of_when_it_was_asked_for() -> None:
    reader = read(asked())
    assert said(reader, "xmp:CreateDate") == "2026-02-01T10:00:00+00:00"
    assert said(reader, "xmp:ModifyDate") == "2026-02-01T10:00:00+00:00"


def test_a_report_nobody_says_the_request_of_is_of_its_analysis() -> None:
    assert said(read(messages.filed()), "xmp:CreateDate") == "2026-01-31T09:30:00+00:00"


def test_a_report_is_no_longer_for_saying_when_it_was_asked_for() -> None:
    without = document.render(messages.filed(), MAX_PIXELS)[1]
    assert document.render(asked(), MAX_PIXELS)[1] == without


def test_a_moment_that_is_none_is_refused() -> None:
    request = messages.filed()
    request.analysis.requested_at = "yesterday"
    with pytest.raises(InvalidReportError, match=r"^analysis\.requested_at:"):
        check(request)
