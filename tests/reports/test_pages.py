"""What stands on the pages of each report, in both languages, read back from the PDF."""

import pytest

from services.pb.reports_pb2 import Narrative, RenderRequest
from tests.reports import messages
from tests.reports.reading import pages, text


def german(request: RenderRequest) -> RenderRequest:
    request.language = "de"
    return request


@pytest.mark.parametrize(
    "words",
    [
        "born 31 May 1980, female",
        "Record 0c3f5a52",
        "92.8 % (95 % interval 89.8 % to 95.6 %) of malignant lesions are found (sensitivity)",
        "67.5 % (95 % interval 64.6 % to 70.2 %) of the others left alone (specificity), measured",
        "Earlier analyses of this lesion",
        "3 July 2025 08:15 UTC Melanocytic nevus (nv) 3.0 % 21.0 %",
        "12 October 2025 14:00 UTC Melanocytic nevus (nv) 4.0 % +1.0 22.0 % +1.0",
        "31 January 2026 09:30 UTC Melanocytic nevus (nv) 6.0 % +2.0 21.2 % \N{MINUS SIGN}0.8",
        "Sees another label: Benign keratosis-like lesion (bkl)",
        "Milia-like cysts at the rim. Dr. Example Clinician, 1 February 2026, 10:00 UTC",
        "Summary: machine-written text The models find a melanocytic nevus most probable.",
        "Written by a language model (example-model-7b)",
        "CPUExecutionProvider, fp32 · Evaluated on HAM10000 fold 4",
        "95 % intervals in brackets: balanced accuracy 0.708 (0.662\N{EN DASH}0.753)",
        f"Analyzed picture sha256 {'2b' * 32}",
        f"Mask sha256 {'3c' * 32}",
        "Preparation pillow-bicubic 192 RGB, Pillow 13.0.0",
    ],
)
def test_a_page_for_the_record_shows(words: str) -> None:
    assert words in text(messages.filed())


def test_figures_whose_intervals_nobody_knows_are_printed_alone() -> None:
    request = messages.filed()
    request.analysis.classification.operating_point.ClearField("sensitivity_interval")
    request.analysis.classification.operating_point.ClearField("specificity_interval")
    for model in request.analysis.models:
        model.metrics[0].ClearField("interval")
    shown = text(request)
    assert "92.8 % of malignant lesions are found (sensitivity) and 67.5 % of the others" in shown
    assert "split by lesion: balanced accuracy 0.708" in shown
    assert "interval" not in shown


@pytest.mark.parametrize(
    "words",
    [
        "Bericht zur Dermatoskopie",
        "Erstellt am 31. Januar 2026, 09:30 UTC",
        "geboren am 31. Mai 1980, weiblich",
        "Melanozytärer Nävus",
        "nv, Wahrscheinlichkeit 90,2 %",
        "Arbeitspunkt: verdächtig ab 30 %",
        "Basalzellkarzinom (bcc) < 0,1 %",
        "Asymmetrie 0,10",
        "3. Juli 2025 08:15 UTC Melanozytärer Nävus (nv) 3,0 % 21,0 %",
        "Sieht eine andere Klasse: Benigne keratoseartige Läsion (bkl)",
        "Zusammenfassung: maschinell verfasster Text",
        "95-%-Intervalle in Klammern: ausgewogene Genauigkeit 0,708 (0,662\N{EN DASH}0,753)",
        "werden 92,8 % (95-%-Intervall 89,8 % bis 95,6 %) der bösartigen Läsionen gefunden",
        "Nur für Forschung und als Entscheidungshilfe. Keine Diagnose.",
        "Seite 1 von 2",
    ],
)
def test_a_page_in_german_shows(words: str) -> None:
    assert words in text(german(messages.filed()))


def test_a_page_in_german_repeats_what_people_wrote_as_they_wrote_it() -> None:
    shown = text(german(messages.filed()))
    assert "Changed over the last six months; ≥ 6 mm." in shown
    assert "Milia-like cysts at the rim." in shown


def test_a_label_that_is_not_ours_keeps_its_name_in_german() -> None:
    request = german(messages.filed())
    request.analysis.classification.label_name = "Naevus, as we call it"
    assert "Naevus, as we call it nv," in text(request)


def test_a_template_is_not_passed_off_as_written_by_a_machine() -> None:
    request = messages.filed()
    request.analysis.narrative.author = Narrative.AUTHOR_TEMPLATE
    shown = text(request)
    assert "Summary: filled-in sentences" in shown
    assert "machine-written" not in shown


def test_an_opinion_that_agrees_names_the_prediction() -> None:
    request = messages.filed()
    request.analysis.assessment.agrees = True
    request.analysis.assessment.label = ""
    assert "Agrees with the prediction: Melanocytic nevus (nv)" in text(request)


def test_cannot_assess_is_said_in_german_too() -> None:
    shown = text(german(messages.not_assessed("blurred")))
    assert "Nicht beurteilbar" in shown
    assert "Die Aufnahme ist unscharf. Das Dermatoskop ruhig halten" in shown


def test_a_page_that_is_slightly_too_tall_is_set_closer_and_stays_one() -> None:
    request = messages.filed()
    request.analysis.ClearField("earlier")
    assert len(pages(request)) == 1


@pytest.mark.parametrize(
    "words",
    [
        "Lesion report",
        "Lesion L-7",
        "born 31 May 1980, female",
        "Course over time Malignant probability",
        "3 July 2025 08:15 UTC Melanocytic nevus (nv) 3.0 % 21.0 %",
        "20 November 2025 07:00 UTC Cannot assess The picture is blurred.",
        # The change is counted since the last picture that could be assessed.
        "31 January 2026 09:30 UTC Melanocytic nevus (nv) 6.0 % +2.0 24.0 % +2.0",
        f"classifier 1 sha256 {'a0' * 32}",
        messages.NOTICE,
        "Page 1 of 1",
    ],
)
def test_a_lesion_over_time_shows(words: str) -> None:
    assert words in text(messages.lesion_over_time())


def test_one_analysis_has_no_course() -> None:
    request = messages.lesion_over_time()
    del request.lesion.analyses[1:]
    assert "Course over time" not in text(request)


@pytest.mark.parametrize(
    "words",
    [
        "Batch report",
        "12 pictures: 3 suspicious, 3 not suspicious, 3 cannot be assessed, 3 could not be used",
        "1 DSC_0000.jpg P-0042 Melanocytic nevus (nv) 3.0 %",
        "2 DSC_0001.jpg L-7 Melanocytic nevus (nv) Suspicious: yes 62.0 %",
        "3 DSC_0002.jpg left forearm Cannot assess The picture is blurred.",
        "4 DSC_0003.jpg Could not be used this is not a JPEG or PNG picture: send one of these",
    ],
)
def test_a_batch_shows(words: str) -> None:
    assert words in text(messages.batch())


def test_a_long_batch_repeats_its_head_and_loses_no_row() -> None:
    read = pages(german(messages.batch(60)))
    whole = " ".join(read)
    assert all(f"DSC_{index:04}.jpg" in whole for index in range(60))
    head = "Name Patient/in, Läsion, Körperstelle"
    assert [head in page for page in read if "DSC_" in page] == [True] * (len(read))


def test_a_clinician_who_cannot_tell_is_not_said_to_see_another_label() -> None:
    request = messages.filed()
    request.analysis.assessment.label = "cannot_tell"
    request.analysis.assessment.clinician = ""
    shown = text(request)
    assert "assessment Cannot tell from this picture Milia-like cysts at the rim. 1 Feb" in shown
    assert "another label" not in shown


def test_a_known_body_site_is_told_in_the_language_of_the_page() -> None:
    request = german(messages.filed())
    request.analysis.body_site = "lower extremity"
    assert "Körperstelle untere Extremität" in text(request)
