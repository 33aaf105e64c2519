"""Rows whose picture did not come say so, in the language of the page."""

import pytest

from services.pb.reports_pb2 import AnalysisSummary, RenderRequest
from tests.reports import messages
from tests.reports.reading import text

_LATE = AnalysisSummary.NO_PICTURE_OUT_OF_TIME
_LOST = AnalysisSummary.NO_PICTURE_LOST


def batch(language: str = "", **why: "AnalysisSummary.NoPicture") -> RenderRequest:
    """Return a batch of assessed pictures of which some are missing: ``row_3=_LATE``."""
    request = messages.batch(1)
    first = request.batch.rows[0]
    del request.batch.rows[:]
    request.batch.rows.extend([first] * 12)
    for name, missing in why.items():
        analysis = request.batch.rows[int(name.removeprefix("row_")) - 1].analysis
        analysis.ClearField("image")
        analysis.ClearField("mask_png")
        analysis.no_picture = missing
    request.language = language
    return request


@pytest.mark.parametrize(
    ("language", "late", "lost"),
    [
        (
            "en",
            "because the time for this report ran out before: no. 3, 8\N{EN DASH}12.",
            "Without a picture, because what was kept is gone, damaged or not given: no. 5.",
        ),
        (
            "de",
            "Ohne Bild, weil die Zeit für diesen Bericht vorher ablief: Nr. 3, 8\N{EN DASH}12.",
            "weil das aufbewahrte fehlt, beschädigt ist oder nicht herausgegeben wird: Nr. 5.",
        ),
    ],
)
def test_a_batch_says_which_rows_have_no_picture_and_why(
    language: str, late: str, lost: str
) -> None:
    missing = dict.fromkeys((f"row_{number}" for number in (3, 8, 9, 10, 11, 12)), _LATE)
    shown = text(batch(language, row_5=_LOST, **missing))
    assert late in shown
    assert lost in shown


def test_a_batch_with_all_its_pictures_says_nothing_of_them() -> None:
    assert "picture," not in text(batch())


def test_each_row_says_it_in_the_place_of_its_picture() -> None:
    shown = text(batch(row_2=_LATE, row_4=_LATE, row_6=_LOST))
    assert shown.count("No picture: out of time") == 2
    assert shown.count("No picture: lost or damaged") == 1


def test_a_thousand_rows_without_pictures_are_said_in_a_line() -> None:
    request = batch()
    first = request.batch.rows[0]
    first.analysis.ClearField("image")
    first.analysis.no_picture = _LATE
    del request.batch.rows[1:]
    request.batch.rows.extend([first] * 999)
    assert "no. 1\N{EN DASH}1000." in text(request)


def test_a_lesion_says_it_in_the_place_of_the_picture() -> None:
    request = messages.lesion_over_time()
    first = request.lesion.analyses[0]
    first.ClearField("image")
    first.no_picture = _LATE
    assert "No picture: out of time" in text(request)
