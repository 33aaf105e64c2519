"""What the room answers about one picture."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.inference.imaging import View
from services.inference.lesion import Lesion
from services.inference.onnx_model import Provenance
from services.inference.quality import Quality

NOTICE = "Research and decision support only. Not a diagnosis."

LABELS = ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")
"""The seven classes of HAM10000, in the order of every vector in this product."""

MALIGNANT = ("akiec", "bcc", "mel")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which pictures an answer carries; one left out is not drawn."""

    mask: bool = True
    explanation: bool = True


@dataclass(frozen=True, slots=True)
class Classification:
    """What the classifier predicts.

    Attributes:
        label: the most probable code.
        probabilities: calibrated, by code in the order of ``LABELS``, sum 1.
        malignant_probability: the sum over ``MALIGNANT``.
        suspicious: at or above ``suspicious_threshold``.
        suspicious_threshold: the model's declared operating point.
        explanation_png: see ``explanation.drawn``; empty when not wanted.

    """

    label: str
    probabilities: Mapping[str, float]
    malignant_probability: float
    suspicious: bool
    suspicious_threshold: float
    explanation_png: bytes


@dataclass(frozen=True, slots=True)
class Timings:
    """Where the time went, in seconds.

    Attributes:
        queue_s: waiting for a runner, summed over the models.
        run_s: inside the runtime, summed over the models.
        total_s: from the whole picture to the finished answer; less than the sum when the
            models ran side by side.

    """

    queue_s: float
    run_s: float
    total_s: float


@dataclass(frozen=True, slots=True)
class Findings:
    """What the models' outputs say about one picture.

    Attributes:
        reasons: why the picture cannot be assessed; empty when it was.
        lesion: None when none was found or looked for.
        mask_png: see ``lesion.mask_png``; empty when not wanted or there is no lesion.
        classification: None when the picture cannot be assessed.

    """

    reasons: tuple[str, ...]
    lesion: Lesion | None = None
    mask_png: bytes = b""
    classification: Classification | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Method:
    """What an answer was made with, beside the models; each is made once and known by itself.

    Attributes:
        preprocessing: the way from a picture to the models' tensors.
        thresholds: what figures were held against, by name.

    """

    preprocessing: str
    thresholds: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Analysis:
    """The whole answer about one picture.

    Attributes:
        view: the picture as it was judged.
        quality: what was measured on it.
        findings: what the models say.
        models: those that made this answer, or would have.
        method: how they were asked, and judged by.
        timings: where the time went.

    """

    view: View
    quality: Quality
    findings: Findings
    models: tuple[Provenance, ...]
    method: Method
    timings: Timings
