"""What stands on the page, read back from the PDF."""

import io
import traceback
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from reportlab.platypus.doctemplate import LayoutError

from services.pb.reports_pb2 import RenderRequest
from services.reports import document
from services.reports.errors import LayoutFailedError
from services.reports.paper import Paper
from tests import specimens
from tests.reports import messages
from tests.reports.reading import MAX_PIXELS, pages, text

TYPICAL_BYTES = 400_000


def squeezed(request: RenderRequest) -> str:
    """Return the whole text without white space, for words that were broken into lines."""
    return text(request).replace(" ", "")


def test_the_same_message_makes_the_same_bytes() -> None:
    first, _ = document.render(messages.assessed(), MAX_PIXELS)
    again, _ = document.render(messages.assessed(), MAX_PIXELS)
    assert first == again


def test_threads_that_render_at_once_do_not_mix_their_pages() -> None:
    reports = [messages.assessed(), messages.not_assessed()] * 4
    alone = [document.render(report, MAX_PIXELS) for report in reports]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(document.render, reports, [MAX_PIXELS] * len(reports)))
    assert together == alone


def test_a_full_report_fits_one_page_of_a_modest_size() -> None:
    pdf, count = document.render(messages.assessed(), MAX_PIXELS)
    assert count == 1
    assert len(pdf) < TYPICAL_BYTES


@pytest.mark.parametrize(
    "words",
    [
        "Institute of Dermatology, Example Hospital",
        "Dermoscopy analysis report",
        "Created 31 January 2026, 09:30 UTC",
        "Analysis 0c3f5a52-8f0e-4d3b-9a52-6c1d2f7a9b10",
        "Zoë Lindqvist",
        "P-0042",
        "L-7",
        "left forearm",
        "Changed over the last six months; ≥ 6 mm.",
        "Melanocytic nevus",
        "nv, probability 90.2 %",
        "Malignant probability 6.0 %",
        "Suspicious: no",
        "Operating point: 30 % or more is suspicious",
        "Basal cell carcinoma (bcc) < 0.1 %",
        "Vascular lesion (vasc) 0.3 %",
        "What in the picture spoke for nv",
        "low",
        "high",
        "Area 21.2 %",
        "Asymmetry 0.10",
        "Border irregularity 0.24",
        "Color variegation 0.35",
        "Acceptable for assessment.",
        "segmenter 1",
        f"sha256 {'a0' * 32}",
        messages.NOTICE,
        "Page 1 of 1",
    ],
)
def test_the_page_shows(words: str) -> None:
    assert words in text(messages.assessed())


def test_the_page_speaks_of_diagnosis_only_to_deny_it() -> None:
    assert "diagnos" not in text(messages.assessed()).replace(messages.NOTICE, "").lower()
    assert "diagnos" not in text(messages.not_assessed()).replace(messages.NOTICE, "").lower()


def test_a_suspicious_prediction_says_so_and_at_which_operating_point() -> None:
    request = messages.assessed()
    request.analysis.classification.suspicious = True
    request.analysis.classification.malignant_probability = 0.62
    request.analysis.classification.suspicious_threshold = 0.125
    shown = text(request)
    assert "Malignant probability 62.0 % Suspicious: yes" in shown
    assert "Operating point: 12.5 % or more is suspicious" in shown


def test_the_file_describes_itself_without_naming_the_patient() -> None:
    pdf, _ = document.render(messages.assessed(), MAX_PIXELS)
    reader = PdfReader(io.BytesIO(pdf))
    about = reader.metadata
    assert about is not None
    assert about.title == "Dermoscopy analysis report 0c3f5a52-8f0e-4d3b-9a52-6c1d2f7a9b10"
    assert about.author == "Institute of Dermatology, Example Hospital"
    assert about.subject
    assert about.creation_date is not None
    assert about.creation_date.isoformat() == "2026-01-31T09:30:00+00:00"
    assert str(reader.root_object["/Lang"]) == "en"
    assert "Lindqvist" not in str(dict(about))


def test_every_font_travels_with_the_file() -> None:
    pdf, _ = document.render(messages.assessed(), MAX_PIXELS)
    resources: Any = PdfReader(io.BytesIO(pdf)).pages[0]["/Resources"]
    fonts = [font.get_object() for font in resources["/Font"].values()]
    assert len(fonts) >= 2
    for font in fonts:
        assert "/FontFile2" in font["/FontDescriptor"]
        assert "LiberationSans" in font["/BaseFont"]


def test_the_pictures_are_no_larger_than_print_needs() -> None:
    request = messages.assessed()
    request.analysis.image = specimens.lesion_jpeg((1150, 860))
    pdf, _ = document.render(request, MAX_PIXELS)
    shown = [image.image for image in PdfReader(io.BytesIO(pdf)).pages[0].images]
    assert len(shown) == 2
    assert all(picture is not None and max(picture.size) <= 700 for picture in shown)


@pytest.mark.parametrize(
    "name",
    [
        "Αλέξανδρος Παπαδόπουλος",
        "Ἀριστοτέλης",
        "Дарья Щербакова-Їжак",
        "Zażółć Gęślą Jaźń",
        "Şükrü Ağaoğlu İpek Işık",  # noqa: RUF001 - Turkish
        "Đặng Thị Hằng",
        "O'Connor-Åström ß",
        "<b>Bold</b> & <font size=90>Sons",
        "&lt;para&gt; &amp;",
    ],
)
def test_a_name_is_read_back_as_it_was_written(name: str) -> None:
    request = messages.assessed()
    request.analysis.patient.name = name
    shown = text(request)
    assert name in shown
    assert "square brackets" not in shown


@pytest.mark.parametrize(
    ("name", "mark"),
    [
        ("张伟", "[U+5F20][U+4F1F]"),
        ("ދިވެހި", "[U+078B]"),
        ("Ann\u202eeeL", "Ann[U+202E]eeL"),
        ("Ann\u200bLee", "Ann[U+200B]Lee"),
        ("😀", "[U+1F600]"),
    ],
)
def test_letters_that_the_font_lacks_are_marked_and_footnoted(name: str, mark: str) -> None:
    request = messages.assessed()
    request.analysis.patient.name = name
    shown = text(request)
    assert mark in shown
    assert "A mark in square brackets stands for a Unicode character" in shown


@pytest.mark.parametrize("name", ["אבי", "محمد", "مريم"])
def test_letters_that_run_from_right_to_left_are_printed(name: str) -> None:
    request = messages.assessed()
    request.analysis.patient.name = name
    shown = unicodedata.normalize("NFKC", text(request))
    assert f"Patient {name}" in shown
    assert "square brackets" not in shown


def test_a_note_keeps_its_lines() -> None:
    request = messages.assessed()
    request.analysis.note = "first\nsecond\r\n\nthird"
    assert "Note first second third" in text(request)


def test_missing_fields_leave_no_empty_labels() -> None:
    shown = text(messages.bare())
    for label in ("Patient", "Lesion ID", "Body site", "Note", "Measures", "Probabilities"):
        assert label not in shown
    assert "Dermoscopy analysis report Created" in shown


def test_an_assessed_report_without_pictures_or_measures_is_whole() -> None:
    request = messages.assessed()
    for field in ("mask_png", "explanation_png", "segmentation"):
        request.analysis.ClearField(field)
    shown = text(request)
    assert "The picture as analyzed; no outline was drawn" in shown
    assert "spoke for" not in shown
    assert "Measures" not in shown
    assert "Probabilities" in shown


def test_cannot_assess_says_why_and_what_to_do_and_shows_no_bars() -> None:
    shown = text(messages.not_assessed("blurred", "too_dark"))
    assert "Cannot assess" in shown
    assert "The picture is blurred. Hold the dermatoscope still and focus again." in shown
    assert "The picture is too dark. Take it again with more light." in shown
    assert "Probabilities" not in shown
    assert "Malignant" not in shown
    assert "90" not in shown.replace("0c3f5a52-8f0e-4d3b-9a52-6c1d2f7a9b10", "")


def test_a_reason_that_is_new_here_is_shown_by_its_code() -> None:
    assert "Ruler in view." in text(messages.not_assessed("ruler_in_view"))


@pytest.mark.parametrize("size", [(1, 900), (900, 1), (1, 1)])
def test_odd_proportions_keep_to_the_page(size: tuple[int, int]) -> None:
    request = messages.assessed()
    request.analysis.image = specimens.encoded(specimens.lesion().resize(size), "PNG")
    assert len(pages(request)) == 1


def test_a_fault_of_the_layout_repeats_no_text_of_the_page(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise LayoutError("Flowable <Lindqvist> is too large")

    monkeypatch.setattr(Paper, "print", fail)
    with pytest.raises(LayoutFailedError) as caught:
        document.render(messages.assessed(), MAX_PIXELS)
    assert "<Lindqvist>" not in "".join(traceback.format_exception(caught.value))


anything = st.text(max_size=300).filter(str.strip)


@settings(max_examples=15)
@given(name=anything, site=anything, note=st.text(max_size=2000), institution=anything)
def test_no_text_breaks_the_page(name: str, site: str, note: str, institution: str) -> None:
    request = messages.bare()
    request.analysis.patient.name = name
    request.analysis.body_site = site
    request.analysis.note = note
    request.analysis.institution = institution
    read = pages(request)
    assert f"Page {len(read)} of {len(read)}" in read[-1]
