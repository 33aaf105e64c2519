"""Summaries in English."""

from typing import get_args

from services.gateway.findings import LABEL_NAMES
from services.gateway.narrative.facts import Label
from services.gateway.narrative.wording import Wording, finding, listed

ENGLISH = Wording(
    language="en",
    decimal_sign=".",
    # As they are within a sentence.
    names={
        label: f"{LABEL_NAMES[label][:1].lower()}{LABEL_NAMES[label][1:]}"
        for label in get_args(Label)
    },
    reasons={
        "too_small": "it has too few pixels",
        "too_dark": "it is too dark",
        "too_bright": "it is too bright",
        "low_contrast": "it has too little contrast",
        "blurred": "it is blurred",
        "no_lesion": "the model found no lesion in it",
        "not_dermoscopy": "it does not look like a dermoscopic picture",
    },
    and_=" and ",
    prediction="Of the seven classes that the model knows, {name} ({label}) has the highest "
    "probability for this picture: {probability} %.",
    flagged="marked as suspicious",
    unflagged="not marked as suspicious",
    above="The malignant classes have a probability of {malignant} % together, which reaches the "
    "threshold of {threshold} %: the picture is marked as suspicious.",
    below="The malignant classes have a probability of {malignant} % together, which is below the "
    "threshold of {threshold} %: the picture is not marked as suspicious.",
    measures="The outlined lesion covers {area} % of the picture; on scales from 0 to 1 its "
    "asymmetry is {asymmetry}, its border irregularity {border} and its color variegation {color}.",
    unassessed="could not be assessed",
    because="The picture could not be assessed: {reasons}. There is no probability for it.",
    without="no probability",
    causes={
        "too_small": "too few pixels",
        "too_dark": "too dark",
        "too_bright": "too bright",
        "low_contrast": "too little contrast",
        "blurred": "blurred",
        "no_lesion": "no lesion",
        "not_dermoscopy": "does not look like a dermoscopic picture",
    },
    phrases=("malignant classes", "seven classes"),
    scale="from 0 to 1",
    subjects={
        "malignant": "malignant classes",
        "threshold": "threshold",
        "area": "area|covers|covering",
        "asymmetry": "asymmetry",
        "border": "border irregularity|irregularity of the border",
        "color": "color variegation|variegation of color",
    },
    says_above=finding("above exceed reach higher greater", "over more"),
    says_below=finding("below beneath lower smaller", "under less short"),
    words=listed(
        "a above all also an and are area as assigned assigns asymmetry at because being below "
        "border by class classes color combined covering covers each estimated estimates "
        "exceeding exceeds finding findings for found from given gives has have having higher "
        "highest image in irregularity is it its knows lesion lies likely lower measured "
        "measures model most of on outlined over overall picture predicted prediction predicts "
        "probabilities probability probable reaches reaching respectively scale scales share so "
        "sum tells than that the their there therefore these this threshold thus to together "
        "total under value values variegation where which with"
    ),
    prompt="You put coded findings of a dermoscopy model into two to four plain English sentences "
    "that stand beside them. The user message is JSON. Say only what it says. Where `prediction` "
    "is there: name the class of `label`, by its name below and only together with its "
    "`probability`, and no other class; give that of the 'malignant classes'; then write word for "
    "word that the picture is 'marked as suspicious' where `suspicious` is true, or 'not marked as "
    "suspicious' where it is false. Where `prediction` is null: write word for word that the "
    "picture 'could not be assessed', and why, as told below; give no figure and no class. "
    "Measures are given 'from 0 to 1', `area` in percent of the picture. Write a figure after what "
    "it is of, in the same sentence, as it is, percentages with a % sign. Address nobody. No "
    "advice, no judgement, no diagnosis, nothing about what comes next, no other negation, and no "
    "word that is not among those below. At most 600 characters, one paragraph of plain text "
    "without quotes, lists or markup.",
    by_machine="Written by a machine ({model}) from the findings beside it. It changes nothing in "
    "them and may be wrong: what counts are the findings.",
    by_template="Filled in by a template from the findings beside it; no machine wrote it.",
)
