"""What a machine may say of findings, rule by rule; and that the template keeps to the rules."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateway.narrative import WORDINGS, Facts, fault, fill
from services.gateway.narrative.check import Fault
from services.gateway.narrative.facts import Label, Measures, Prediction, Reason
from services.gateway.report_settings import Language

LABELS: tuple[Label, ...] = ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")
REASONS: tuple[Reason, ...] = ("too_dark", "blurred", "no_lesion", "not_dermoscopy")
PERCENT = st.integers(1, 999).map(lambda tenths: tenths / 10)
SHARE = st.integers(0, 100).map(lambda hundredths: hundredths / 100)

SUSPICIOUS = Facts(
    prediction=Prediction(
        label="mel",
        probability=62.5,
        malignant_probability=71.0,
        suspicious=True,
        suspicious_threshold=15.0,
    ),
    measures=Measures(area=21.0, asymmetry=0.4, border_irregularity=0.25, color_variegation=0.0),
    reasons=(),
)
PROBABLE = Facts(
    prediction=Prediction(
        label="mel",
        probability=55.0,
        malignant_probability=80.0,
        suspicious=True,
        suspicious_threshold=15.0,
    ),
    measures=None,
    reasons=(),
)
TEXT = (
    "The class melanoma (mel) has 62.5 %. The malignant classes have 71 % together, which reaches "
    "the threshold of 15 %, so the picture is marked as suspicious."
)
UNASSESSED = Facts(prediction=None, measures=None, reasons=("blurred",))


def predictions() -> st.SearchStrategy[Prediction]:
    return st.builds(
        Prediction,
        label=st.sampled_from(LABELS),
        probability=PERCENT,
        malignant_probability=PERCENT,
        suspicious=st.booleans(),
        suspicious_threshold=PERCENT,
    )


def measures() -> st.SearchStrategy[Measures]:
    return st.builds(
        Measures,
        area=PERCENT,
        asymmetry=SHARE,
        border_irregularity=SHARE,
        color_variegation=SHARE,
    )


@settings(max_examples=60, deadline=None)
@given(predictions(), st.none() | measures(), st.sampled_from(["en", "de"]))
def test_the_template_keeps_to_the_rules_of_machines(
    prediction: Prediction, measured: Measures | None, language: Language
) -> None:
    facts = Facts(prediction=prediction, measures=measured, reasons=())

    text = fill(facts, WORDINGS[language])

    assert fault(text, facts, WORDINGS[language]) is None, text


@given(st.lists(st.sampled_from(REASONS), unique=True), st.sampled_from(["en", "de"]))
def test_so_it_does_of_pictures_that_were_not_assessed(
    reasons: list[Reason], language: Language
) -> None:
    facts = Facts(prediction=None, measures=None, reasons=tuple(reasons))

    text = fill(facts, WORDINGS[language])

    assert fault(text, facts, WORDINGS[language]) is None, text


def test_a_text_that_says_what_was_found_may_be_shown() -> None:
    assert fault(TEXT, SUSPICIOUS, WORDINGS["en"]) is None


@pytest.mark.parametrize(
    ("was", "becomes", "rule"),
    [
        ("62.5 %.", "62.5 %!", Fault.FORM),
        ("62.5 %.", "62.5 %.\n\n* more.", Fault.FORM),
        ("melanoma", "m\u0435lanoma", Fault.FORM),
        ("melanoma", "me\u200blanoma", Fault.FORM),
        ("melanoma", "<i>melanoma</i>", Fault.FORM),
        ("The class", "See evil.example: the class", Fault.FORM),
        ("suspicious.", "suspicious", Fault.FORM),
        (TEXT, "Melanoma.", Fault.FORM),
        (TEXT, TEXT * 5, Fault.FORM),
        (TEXT, "a" * 600 + "<.", Fault.FORM),
        ("is marked", "is not marked", Fault.FLAG),
        ("so the picture is marked as suspicious", "so it stands out", Fault.FLAG),
        ("which reaches", "which is below", Fault.FLAG),
        (", so the", ", which could not be assessed, so the", Fault.FLAG),
        ("melanoma (mel)", "melanocytic nevus (nv)", Fault.LABEL),
        ("The class melanoma (mel)", "It", Fault.LABEL),
        ("so the", "as for basal cells, so the", Fault.LABEL),
        ("62.5 %", "62.4 %", Fault.FIGURES),
        ("62.5 %", "62,5 %", Fault.FIGURES),
        ("71 % together", "0.71 together", Fault.FIGURES),
        ("62.5 %", "62.5 % and 0.25 %", Fault.FIGURES),
        ("62.5 %", "62.5 % in 7 of 10", Fault.FIGURES),
        ("so the", "so your", Fault.WORDS),
        ("so the", "as cancer would be, so the", Fault.WORDS),
        ("so the", "and a biopsy is recommended, so the", Fault.WORDS),
        ("so the", "which is certain, so the", Fault.WORDS),
        ("so the", "though it is no melanoma at all, so the", Fault.WORDS),
        ("so the", "with ninety in a hundred, so the", Fault.WORDS),
    ],
)
def test_a_text_that_breaks_a_rule_is_refused_for_it(was: str, becomes: str, rule: Fault) -> None:
    assert was in TEXT

    assert fault(TEXT.replace(was, becomes), SUSPICIOUS, WORDINGS["en"]) is rule


@pytest.mark.parametrize(
    "text",
    [
        "Melanoma has the highest probability, 55 %, and it is wrongly marked as suspicious.",
        "Melanoma has 55 %, and the picture was mistakenly marked as suspicious.",
        "Melanoma has 55 %. It is simply harmless-looking, though marked as suspicious.",
        "The model is useless and melanoma at 55 % is false, it is marked as suspicious.",
        "It was formerly marked as suspicious. Melanoma has 55 %. Relax and sleep well.",
        "It is marked as suspicious. Melanoma has 55 %. All fine, nothing matters here.",
        "Das Bild ist irrtümlich als verdächtig markiert. Melanom hat 55 %. Alles ist bestens.",
    ],
)
def test_a_text_that_takes_back_what_it_says_is_refused(text: str) -> None:
    language: Language = "de" if "Bild" in text else "en"

    assert fault(text, PROBABLE, WORDINGS[language]) is Fault.WORDS


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        ("Melanoma has 55 %. The malignant classes have 80 %. The threshold is 15 %", None),
        ("Melanoma has 15 %. The malignant classes have 15 % together", Fault.FIGURES),
        ("Melanoma has 80 %", Fault.FIGURES),
        ("Melanoma has 55 %. The threshold is 80 %", Fault.FIGURES),
        ("Melanoma has 55 % and 80 %", Fault.FIGURES),
        ("Melanoma has 55 %. It has 80 %", Fault.FIGURES),
        ("The lesion is melanoma", Fault.LABEL),
        ("The lesion is melanoma. The malignant classes have 80 %", Fault.LABEL),
        ("Melanoma has seven %", Fault.FORM),
    ],
)
def test_a_figure_is_that_of_what_is_named_before_it(said: str, rule: Fault | None) -> None:
    text = f"{said}. The picture is marked as suspicious."

    assert fault(text, PROBABLE, WORDINGS["en"]) is rule


@pytest.mark.parametrize("reason", REASONS)
def test_of_a_picture_that_was_not_assessed_only_its_own_reason_may_be_given(
    reason: Reason,
) -> None:
    facts = Facts(prediction=None, measures=None, reasons=(reason,))

    texts = [
        fill(Facts(prediction=None, measures=None, reasons=(each,)), WORDINGS["en"])
        for each in REASONS
    ]

    assert [fault(text, facts, WORDINGS["en"]) for text in texts] == [
        None if each == reason else Fault.WORDS for each in REASONS
    ]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("The picture could not be assessed because it is blurred.", None),
        ("The picture could not be assessed but looks like melanoma.", Fault.LABEL),
        ("The picture could not be assessed and is marked as suspicious.", Fault.FLAG),
        ("The picture could not be assessed; the rest is at 12 %.", Fault.FIGURES),
        ("The picture is blurred and rather dark, it has to be said.", Fault.FLAG),
    ],
)
def test_of_a_picture_that_was_not_assessed_nothing_is_predicted(
    text: str, rule: Fault | None
) -> None:
    assert fault(text, UNASSESSED, WORDINGS["en"]) is rule


@pytest.mark.parametrize(
    ("added", "rule"),
    [
        ("", None),
        (" Sie brauchen eine Biopsie.", Fault.WORDS),
        (" Das Bild zeigt Krebs.", Fault.WORDS),
        (" Es ist ungefährlich.", Fault.WORDS),
        (" Es ist kein Melanom.", Fault.WORDS),
        (" Es ist ein Basaliom.", Fault.LABEL),
        (" Die Asymmetrie ist 0,5.", Fault.FIGURES),
        (" Die Asymmetrie ist 0,40.", None),
    ],
)
def test_the_same_holds_in_german(added: str, rule: Fault | None) -> None:
    text = (
        "Die Klasse Melanom (mel) hat 62,5 %, die bösartigen Klassen zusammen 71 %; das Bild ist "
        f"als verdächtig markiert.{added}"
    )

    assert fault(text, SUSPICIOUS, WORDINGS["de"]) is rule
