"""Messages that the tests start from."""

import functools

from PIL import Image, ImageDraw, ImageFilter

from services.pb.reports_pb2 import (
    AnalysisReport,
    AnalysisSummary,
    Assessment,
    BatchReport,
    BatchRow,
    Classification,
    Interval,
    LesionReport,
    Model,
    Narrative,
    OperatingPoint,
    Patient,
    Prediction,
    Probability,
    Quality,
    RenderRequest,
    Segmentation,
)
from tests import specimens

NOTICE = "Research and decision support only. Not a diagnosis."

LABELS = {
    "akiec": "Actinic keratosis / intraepithelial carcinoma",
    "bcc": "Basal cell carcinoma",
    "bkl": "Benign keratosis-like lesion",
    "df": "Dermatofibroma",
    "mel": "Melanoma",
    "nv": "Melanocytic nevus",
    "vasc": "Vascular lesion",
}
PROBABILITIES = (0.012, 0.0004, 0.031, 0.004, 0.048, 0.9016, 0.003)


@functools.cache
def lesion() -> bytes:
    return specimens.lesion_jpeg()


@functools.cache
def spot(blur: float = 0) -> bytes:
    """Draw a white spot in the middle of a black PNG, with soft edges when blurred."""
    picture = Image.new("L", specimens.SIZE)
    ImageDraw.Draw(picture).ellipse((165, 95, 435, 350), fill=255)
    return specimens.encoded(picture.filter(ImageFilter.GaussianBlur(blur)), "PNG")


@functools.cache
def logo() -> bytes:
    """Draw a mark on nothing, as institutions' logos are."""
    picture = Image.new("RGBA", (300, 100))
    ImageDraw.Draw(picture).rounded_rectangle((4, 4, 295, 95), 30, fill=(31, 93, 120, 255))
    return specimens.encoded(picture, "PNG")


def assessed() -> RenderRequest:
    """Return a message with everything that a page can show."""
    names = LABELS.items()
    return RenderRequest(
        analysis=AnalysisReport(
            analysis_id="0c3f5a52-8f0e-4d3b-9a52-6c1d2f7a9b10",
            created_at="2026-01-31T09:30:00Z",
            institution="Institute of Dermatology, Example Hospital",
            patient=Patient(id="P-0042", name="Zoë Lindqvist"),
            lesion_id="L-7",
            body_site="left forearm",
            note="Changed over the last six months; ≥ 6 mm.",
            image=lesion(),
            mask_png=spot(),
            explanation_png=spot(blur=40),
            classification=Classification(
                label="nv",
                label_name="Melanocytic nevus",
                probabilities=[
                    Probability(label=label, label_name=name, probability=share)
                    for (label, name), share in zip(names, PROBABILITIES, strict=True)
                ],
                malignant_probability=0.0604,
                suspicious=False,
                suspicious_threshold=0.3,
            ),
            segmentation=Segmentation(
                area_fraction=0.212,
                asymmetry=0.1,
                border_irregularity=0.24,
                color_variegation=0.35,
            ),
            quality=Quality(acceptable=True),
            models=[
                Model(name="segmenter", version="1", sha256="1f" * 32),
                Model(name="classifier", version="1", sha256="a0" * 32),
            ],
            notice=NOTICE,
        )
    )


def filed() -> RenderRequest:
    """Return a message with everything that a page for a record can show."""
    request = assessed()
    report = request.analysis
    report.logo = logo()
    report.patient.birth_date = "1980-05-31"
    report.patient.sex = "female"
    report.record_url = "https://derm.example/analyses/0c3f5a52-8f0e-4d3b-9a52-6c1d2f7a9b10"
    report.image_sha256 = "2b" * 32
    report.mask_sha256 = "3c" * 32
    report.preprocessing = "pillow-bicubic 192 RGB, Pillow 13.0.0"
    report.classification.operating_point.CopyFrom(
        OperatingPoint(
            sensitivity=0.928,
            specificity=0.6754,
            measured_on="HAM10000 fold 4, split by lesion",
            sensitivity_interval=Interval(low=0.898, high=0.9562),
            specificity_interval=Interval(low=0.6458, high=0.7018),
        )
    )
    for model in report.models:
        model.execution_provider = "CPUExecutionProvider"
        model.precision = "fp32"
        model.metrics.add(
            name="balanced_accuracy", value=0.7075, interval=Interval(low=0.6622, high=0.753)
        )
        model.evaluated_on = "HAM10000 fold 4, split by lesion"
    report.assessment.CopyFrom(assessment())
    report.earlier.extend([summary("2025-07-03T08:15:00Z"), summary("2025-10-12T14:00:00Z", 0.04)])
    report.narrative.CopyFrom(
        Narrative(
            text="The models find a melanocytic nevus most probable.",
            author=Narrative.AUTHOR_MACHINE,
            written_by="example-model-7b",
        )
    )
    return request


def assessment() -> Assessment:
    """Return the opinion of a clinician who sees it otherwise."""
    return Assessment(
        clinician="Dr. Example Clinician",
        assessed_at="2026-02-01T10:00:00Z",
        agrees=False,
        label="bkl",
        label_name="Benign keratosis-like lesion",
        reason="Milia-like cysts at the rim.",
    )


def summary(created_at: str, malignant: float = 0.03) -> AnalysisSummary:
    """Return one analysis among others."""
    return AnalysisSummary(
        analysis_id=f"analysis-of-{created_at[:10]}",
        created_at=created_at,
        image=lesion(),
        mask_png=spot(),
        prediction=Prediction(
            label="nv", label_name="Melanocytic nevus", malignant_probability=malignant
        ),
        area_fraction=0.18 + malignant,
    )


def unjudged(created_at: str) -> AnalysisSummary:
    """Return one whose picture could not be assessed."""
    return AnalysisSummary(
        analysis_id=f"analysis-of-{created_at[:10]}",
        created_at=created_at,
        image=lesion(),
        quality_reasons=["blurred"],
    )


def lesion_over_time() -> RenderRequest:
    """Return a message about one lesion."""
    whole = filed().analysis
    return RenderRequest(
        lesion=LesionReport(
            lesion_id=whole.lesion_id,
            created_at=whole.created_at,
            institution=whole.institution,
            logo=whole.logo,
            patient=whole.patient,
            body_site=whole.body_site,
            record_url="https://derm.example/lesions/L-7",
            analyses=[
                *whole.earlier,
                unjudged("2025-11-20T07:00:00Z"),
                summary("2026-01-31T09:30:00Z", 0.0604),
            ],
            models=whole.models,
            notice=NOTICE,
        )
    )


def batch(rows: int = 12) -> RenderRequest:
    """Return a message about pictures that were sent together."""
    whole = filed().analysis
    outcomes = (
        BatchRow(patient_id="P-0042", analysis=summary("2026-01-31T09:30:00Z")),
        BatchRow(lesion_id="L-7", analysis=summary("2026-01-31T09:31:00Z", 0.62)),
        BatchRow(body_site="left forearm", analysis=unjudged("2026-01-31T09:32:00Z")),
        BatchRow(failure="this is not a JPEG or PNG picture: send one of these"),
    )
    outcomes[1].analysis.prediction.suspicious = True
    report = BatchReport(
        batch_id="b-2026-01-31",
        created_at=whole.created_at,
        institution=whole.institution,
        logo=whole.logo,
        record_url="https://derm.example/batches/b-2026-01-31",
        models=whole.models,
        notice=NOTICE,
    )
    for index in range(rows):
        row = report.rows.add()
        row.CopyFrom(outcomes[index % len(outcomes)])
        row.name = f"DSC_{index:04}.jpg"
    return RenderRequest(batch=report)


def not_assessed(*reasons: str) -> RenderRequest:
    """Return a message about a picture that cannot be judged."""
    request = assessed()
    for field in ("classification", "segmentation", "mask_png", "explanation_png"):
        request.analysis.ClearField(field)
    request.analysis.quality.CopyFrom(Quality(acceptable=False, reasons=reasons or ["blurred"]))
    return request


def bare() -> RenderRequest:
    """Return a message with only what is required."""
    full = not_assessed().analysis
    return RenderRequest(
        analysis=AnalysisReport(
            analysis_id=full.analysis_id,
            created_at=full.created_at,
            image=full.image,
            quality=full.quality,
            models=full.models,
            notice=full.notice,
        )
    )
