"""What was found in a picture, and what became of that."""

from datetime import datetime

from dermserve_client.shapes.shape import Editable, Shape


class Image(Shape):
    """A picture as it is kept."""

    sha256: str
    width: int
    height: int
    format: str


class Classification(Shape):
    """Calibrated probabilities of the seven labels; a prediction, not a diagnosis."""

    label: str
    label_name: str
    probabilities: dict[str, float]
    malignant_probability: float
    suspicious: bool
    suspicious_threshold: float


class Segmentation(Shape):
    """Measures of the outlined lesion; the box is x, y, width, height in pixels."""

    area_fraction: float
    bounding_box: tuple[int, int, int, int]
    asymmetry: float
    border_irregularity: float
    color_variegation: float


class Quality(Shape):
    """Whether the picture may be judged, and why not."""

    acceptable: bool
    reasons: list[str]


class ModelVersion(Shape):
    """Which model it was, and what ran it."""

    name: str
    version: str
    sha256: str
    execution_provider: str | None = None
    precision: str | None = None
    variant_of: str | None = None


class Method(Shape):
    """How the picture was prepared and judged."""

    preprocessing: str
    thresholds: dict[str, float]


class Timings(Shape):
    """Where inference spent its time, in milliseconds."""

    queue_ms: float
    run_ms: float
    total_ms: float


class Findings(Shape):
    """What is found in a picture."""

    classification: Classification | None
    segmentation: Segmentation | None
    quality: Quality
    models: list[ModelVersion]
    method: Method | None = None
    timings: Timings
    notice: str


class Failure(Shape):
    """Why there is no answer, as ``ProblemError`` would have said it."""

    type: str
    title: str
    status: int
    detail: str


class Assessment(Editable):
    """What a clinician says of an answer, beside it."""

    verdict: str
    agrees: bool
    reason: str | None
    username: str
    assessed_at: datetime
    revision: int


class AssessmentStep(Shape):
    """One step in the history of an assessment; ``verdict`` is None where it was withdrawn."""

    id: str
    created_at: datetime
    user_id: str
    username: str
    verdict: str | None
    reason: str | None


class Analysis(Shape):
    """The whole answer about one picture; what only an answer has is None until there is one."""

    id: str
    created_at: datetime
    status: str
    outcome: str | None
    problem: Failure | None
    batch: str | None
    file_name: str | None
    image: Image | None
    patient: str | None
    lesion: str | None
    patient_id: str | None
    patient_name: str | None
    lesion_id: str | None
    body_site: str | None
    note: str | None
    classification: Classification | None
    segmentation: Segmentation | None
    quality: Quality | None
    models: list[ModelVersion]
    method: Method | None = None
    timings: Timings | None
    assessment: Assessment | None = None
    notice: str | None


class Batch(Shape):
    """Pictures that came together, and how many of them are how far."""

    id: str
    created_at: datetime
    pictures: int
    finished: bool
    queued: int
    running: int
    succeeded: int
    failed: int


class Narrative(Shape):
    """Findings told in a paragraph; ``mark`` says who wrote it and is to be shown with it."""

    text: str
    language: str
    source: str
    mark: str
    model: str | None
    written_at: datetime | None
    why_template: str | None


class ReportRequest(Shape):
    """A report that somebody asked for: ``given``, or ``refused`` with the type of the problem."""

    id: str
    created_at: datetime
    user_id: str
    outcome: str
    sha256: str | None
    size_bytes: int | None
    problem: str | None


class Tolerance(Shape):
    """How far two answers may differ and still agree."""

    probability: float
    mask: float


class Replay(Shape):
    """A second answer beside the first; differences are null where there is nothing to compare."""

    analysis_id: str
    agrees: bool
    picture_intact: bool
    same_method: bool
    same_outcome: bool
    probability_difference: float | None
    mask_difference: float | None
    tolerance: Tolerance
    now: Findings | None
