"""Messages that the tests start from."""

import functools

from PIL import Image, ImageDraw, ImageFilter

from services.pb.reports_pb2 import (
    AnalysisReport,
    Classification,
    Model,
    Patient,
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
