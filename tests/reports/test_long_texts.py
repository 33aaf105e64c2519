"""Texts that are longer than their line or their page: nothing is lost, and every page ends."""

import pytest

from services.reports import document
from tests.reports import messages
from tests.reports.reading import MAX_PIXELS, pages, text
from tests.reports.test_document import squeezed


def test_a_long_name_from_right_to_left_begins_on_its_first_line() -> None:
    request = messages.assessed()
    request.analysis.patient.name = "אבגד " * 20 + "הוזח"
    shown = text(request)
    assert shown.count("אבגד") == 20
    assert shown.rindex("אבגד") < shown.index("הוזח")


def test_a_long_note_goes_on_under_the_same_footer() -> None:
    request = messages.assessed()
    request.analysis.note = "Seen again after removal of hair. " * 150
    read = pages(request)
    assert len(read) == 2
    assert " ".join(read).count("removal") == 150
    for number, page in enumerate(read, start=1):
        assert messages.NOTICE in page
        assert f"Page {number} of 2" in page
    assert "Zoë Lindqvist · P-0042" in read[1]


def test_a_long_name_without_spaces_is_broken_and_whole() -> None:
    request = messages.assessed()
    request.analysis.patient.name = "Ü" * 300
    assert "Ü" * 300 in squeezed(request)


def test_what_outgrows_every_page_goes_on_over_the_next() -> None:
    request = messages.assessed()
    report = request.analysis
    for message in (report.patient, report.classification):
        for field in ("name", "label_name"):
            if field in message.DESCRIPTOR.fields_by_name:
                setattr(message, field, "张" * 300)
    for row in report.classification.probabilities:
        row.label_name = "张" * 300
    report.notice = "张" * 500
    read = pages(request)
    assert len(read) > 10
    assert f"Page 1 of {len(read)}" in read[0]
    assert f"sha256 {'a0' * 32}" in " ".join(read)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("marks", range(190, 202, 2))
def test_a_patient_whose_name_just_fills_a_page_has_a_report_of_a_lesion(marks: int) -> None:
    request = messages.lesion_over_time()
    patient, report = request.lesion.patient, request.lesion
    patient.name, patient.id, patient.birth_date, patient.sex = "\ufdfa" * marks, "P-1", "", ""
    report.institution, report.record_url, report.logo = "", "", b""

    _, count = document.render(request, MAX_PIXELS)

    assert count <= 3
