"""The page in English."""

from services.reports.wordings.wording import ENGLISH_LABELS, Absence, Measure, Reason, Wording

ENGLISH = Wording(
    language="en",
    decimal=".",
    months=(
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
    day="{day} {month} {year}",
    analysis_title="Dermoscopy analysis report",
    lesion_title="Lesion report",
    batch_title="Batch report",
    analysis_subject="Calculated probabilities and measures of one dermoscopic picture",
    lesion_subject="Calculated probabilities and measures of one lesion over time",
    batch_subject="Calculated probabilities of the pictures of a batch",
    analyzed="Analyzed {moment}",
    requested="Report of {moment}",
    created="Created {moment}",
    analysis="Analysis {id}",
    lesion="Lesion {id}",
    batch="Batch {id}",
    record="Record {id}",
    page="Page {number} of {count}",
    notices={
        "Research and decision support only. Not a diagnosis.": (
            "Research and decision support only. Not a diagnosis."
        )
    },
    patient="Patient",
    patient_id="Patient ID",
    born="born {date}",
    lesion_id="Lesion ID",
    body_site="Body site",
    sexes={"female": "female", "male": "male", "other": "other sex", "unknown": "sex unknown"},
    sites={
        "anterior torso": "anterior torso",
        "head/neck": "head/neck",
        "lateral torso": "lateral torso",
        "lower extremity": "lower extremity",
        "oral/genital": "oral/genital",
        "palms/soles": "palms/soles",
        "posterior torso": "posterior torso",
        "upper extremity": "upper extremity",
    },
    most_probable="Most probable class",
    probability="probability {share}",
    malignant="Malignant probability",
    malignant_column="Malignant probability",
    suspicious="Suspicious: yes",
    not_suspicious="Suspicious: no",
    operating_point="Operating point: {threshold} or more is suspicious",
    measured=(
        "At the operating point, {sensitivity} of malignant lesions are found (sensitivity) and "
        "{specificity} of the others left alone (specificity), measured on {measured_on}."
    ),
    interval="95 % interval {low} to {high}",
    prediction=(
        "A prediction of the models named below, to be read together with the clinical findings."
    ),
    result="Result",
    cannot_assess="Cannot assess",
    no_prediction="This picture does not allow a prediction.",
    without_prediction="No probability is given. The lesion needs a clinical look all the same.",
    outlined="The picture with the outline of the lesion",
    not_outlined="The picture as analyzed; no outline was drawn",
    spoke_for="What in the picture spoke for {label}",
    low="low",
    high="high",
    probabilities="Probabilities",
    labels=ENGLISH_LABELS,
    quality="Picture quality",
    acceptable="Acceptable for assessment.",
    limited="Limited:",
    reasons={
        "too_small": Reason(
            "The picture has too few pixels to show the structure of a lesion.",
            "Send the picture at its original size.",
        ),
        "too_dark": Reason("The picture is too dark.", "Take it again with more light."),
        "too_bright": Reason("The picture is too bright.", "Take it again with less light."),
        "low_contrast": Reason(
            "The picture is nearly one flat color.", "Check light and contact of the dermatoscope."
        ),
        "blurred": Reason(
            "The picture is blurred.", "Hold the dermatoscope still and focus again."
        ),
        "no_lesion": Reason(
            "No lesion was found in the picture.",
            "Center the whole lesion with some skin around it.",
        ),
        "not_dermoscopy": Reason(
            "The picture does not look like a dermoscopic picture of a lesion.",
            "Take it through a dermatoscope.",
        ),
    },
    measures_heading="Measures of the outlined lesion",
    measures=(
        Measure("area_fraction", "Area", "Share of the picture inside the outline", is_share=True),
        Measure(
            "asymmetry", "Asymmetry", "0 mirrors itself, 1 has no overlap with its mirror image"
        ),
        Measure("border_irregularity", "Border irregularity", "0 a circle, 1 a ragged outline"),
        Measure(
            "color_variegation", "Color variegation", "Spread of color inside: 0 even, 1 strong"
        ),
    ),
    note="Note",
    opinion="The clinician's own assessment",
    agrees="Agrees with the prediction: {label}",
    disagrees="Sees another label: {label}",
    cannot_tell="Cannot tell from this picture",
    machine_written="Summary: machine-written text",
    machine_explained=(
        "Written by a language model{by} from coded findings alone. It changes no label, "
        "no probability and no advice."
    ),
    template_written="Summary: filled-in sentences",
    template_explained=(
        "Fixed sentences with the figures of this page filled in; no person and no language "
        "model wrote them."
    ),
    earlier="Earlier analyses of this lesion",
    this_analysis="This analysis",
    picture="Picture",
    date="Date",
    label="Most probable class",
    change="Change",
    area="Area",
    change_explained=(
        "Area: share of the picture inside the outline; it compares pictures of the same "
        "magnification only. Change: percentage points since the row before."
    ),
    clinician_says="Clinician: {label}",
    models="Models and provenance",
    figures="Evaluated on {split}: {figures}",
    figures_within="Evaluated on {split}, 95 % intervals in brackets: {figures}",
    metrics={
        "balanced_accuracy": "balanced accuracy",
        "macro_auc": "mean AUC of the labels",
        "expected_calibration_error": "calibration error",
        "suspicious_sensitivity": "sensitivity for suspicious",
        "suspicious_specificity": "specificity for suspicious",
        "mean_dice": "mean Dice",
        "mean_jaccard": "mean Jaccard",
        "thresholded_jaccard": "thresholded Jaccard",
    },
    analyzed_picture="Analyzed picture",
    mask="Mask",
    prepared="Preparation",
    course="Course over time",
    analyses="Analyses of this lesion",
    counts=(
        "{total} pictures: {suspicious} suspicious, {other} not suspicious, "
        "{unassessed} cannot be assessed, {failed} could not be used"
    ),
    name="Name",
    about="Patient, lesion, body site",
    failed="Could not be used",
    no_picture={
        "out_of_time": Absence(
            "No picture: out of time",
            "Without a picture, because the time for this report ran out before: no. {rows}.",
        ),
        "lost": Absence(
            "No picture: lost or damaged",
            "Without a picture, because what was kept is gone, damaged or not given: no. {rows}.",
        ),
    },
    missing_letters=(
        "A mark in square brackets stands for a Unicode character that the font of this "
        "page lacks: {codes}."
    ),
    and_more=" and {count} more",
)
