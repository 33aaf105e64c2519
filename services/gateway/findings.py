"""What is found in a picture, in the words that users see, records keep and reports print."""

from pydantic import BaseModel, ConfigDict, Field

LABEL_NAMES = {
    "akiec": "Actinic keratosis / intraepithelial carcinoma",
    "bcc": "Basal cell carcinoma",
    "bkl": "Benign keratosis-like lesion",
    "df": "Dermatofibroma",
    "mel": "Melanoma",
    "nv": "Melanocytic nevus",
    "vasc": "Vascular lesion",
}
"""The seven labels in plain words."""


class _Value(BaseModel):
    # JSON has no word for what is not a finite number.
    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


class Classification(_Value):
    """Calibrated probabilities of the seven labels; a prediction, not a diagnosis."""

    label: str = Field(description="The label with the highest probability.", examples=["nv"])
    label_name: str = Field(description="The label in plain words.")
    probabilities: dict[str, float] = Field(description="Calibrated; they sum to 1.")
    malignant_probability: float = Field(description="akiec + bcc + mel.")
    suspicious: bool = Field(
        description="Whether `malignant_probability` reaches `suspicious_threshold`."
    )
    suspicious_threshold: float = Field(description="The model's declared operating point.")


class Segmentation(_Value):
    """Measures of the outlined lesion, each 0..1 but for the box."""

    area_fraction: float = Field(description="Share of the picture that the lesion covers.")
    bounding_box: tuple[int, int, int, int] = Field(
        description="x, y, width, height in pixels of the picture."
    )
    asymmetry: float
    border_irregularity: float
    color_variegation: float


class Quality(_Value):
    """Whether the picture may be judged, and why not."""

    acceptable: bool
    reasons: list[str] = Field(description="Most important first.", examples=[["blurred"]])


class ModelVersion(_Value):
    """Which model it was."""

    name: str
    version: str
    sha256: str = Field(description="Of the file that ran.")
    execution_provider: str | None = Field(
        default=None,
        description="What ran it; null in records from before this was kept.",
        examples=["CPUExecutionProvider"],
    )
    precision: str | None = Field(
        default=None,
        description="That it was computed in; null in records from before this was kept.",
        examples=["fp32"],
    )
    variant_of: str | None = Field(
        default=None,
        description="SHA-256 of the model that the file is a variant of; null for the model.",
    )


class Timings(_Value):
    """Where inference spent its time, in milliseconds."""

    queue_ms: float
    run_ms: float
    total_ms: float


class Findings(_Value):
    """The whole answer about one picture, without the pictures that belong to it."""

    classification: Classification | None
    segmentation: Segmentation | None
    quality: Quality
    models: list[ModelVersion]
    timings: Timings
    notice: str
