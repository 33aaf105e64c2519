"""Rows whose names no font has letters of, or that are longer than a cell."""

import time

import pytest

from services.pb.reports_pb2 import RenderRequest
from services.reports import document
from tests import specimens
from tests.reports import messages
from tests.reports.reading import MAX_PIXELS, pages, text

_EMOJI = "\U0001f600"
_HOSTILE = _EMOJI * 254 + "\u0639"
"""Marks nine times as long as the name, which runs both ways."""
_TIMES_AS_LONG = 4


def batch(rows: int, name: str = "") -> RenderRequest:
    request = messages.batch(rows)
    small = specimens.lesion_jpeg((160, 120))
    for row in request.batch.rows:
        row.name = name or row.name
        if row.HasField("analysis"):
            row.analysis.image = small
            row.analysis.ClearField("mask_png")
    return request


def seconds(request: RenderRequest) -> float:
    began = time.thread_time()
    document.render(request, MAX_PIXELS)
    return time.thread_time() - began


def test_a_thousand_hostile_names_take_no_more_than_a_few_times_as_long() -> None:
    assert seconds(batch(1_000, _HOSTILE)) < _TIMES_AS_LONG * seconds(batch(1_000))


@pytest.mark.parametrize("length", [20, 60, 100, 251])
@pytest.mark.parametrize("rows", [12, 40])
def test_names_of_any_length_fill_any_number_of_rows(length: int, rows: int) -> None:
    _, count = document.render(batch(rows, "\u5f35" * length + ".jpg"), MAX_PIXELS)
    assert count >= 1


def test_a_name_longer_than_its_cell_is_cut_with_an_ellipsis() -> None:
    shown = text(batch(1, "b" * 10 + _EMOJI * 200)).replace(" ", "")
    assert "bbbbbbbbbb[U+1F600]" in shown
    assert "[U+1F600]…" in shown


def test_a_row_with_everything_too_long_still_fits_a_page() -> None:
    request = batch(8, "\u5f35 " * 150)
    for row in request.batch.rows:
        row.patient_id = row.lesion_id = row.body_site = "\u5f35" * 300
        if not row.HasField("analysis"):
            row.failure = "\u5f35 " * 250
        elif row.analysis.quality_reasons:
            row.analysis.quality_reasons.extend(["\u5f35" * 300] * 18)
        else:
            row.analysis.prediction.label = "\u5f35" * 300
            row.analysis.prediction.label_name = "\u5f35" * 300
        if row.HasField("analysis"):
            row.analysis.assessment.CopyFrom(messages.assessment())
            row.analysis.assessment.label = "\u5f35" * 300
    assert all("[U+5F35]" in page for page in pages(request)[:2])


def test_every_reason_that_we_know_is_printed_of_a_row() -> None:
    request = batch(3)
    request.batch.rows[2].analysis.quality_reasons.extend(["too_dark", "no_lesion", "too_small"])
    assert "…" not in text(request)
