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

NOTICE = "Research and decision support only. Not a diagnosis."
"""What stands on whatever shows no answer, which would bring its own notice."""


class _Value(BaseModel):
    # JSON has no word for what is not a finite number.
    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


class Classification(_Value):
    """Calibrated probabilities of the seven labels; a prediction, not a diagnosis."""

    label: str = Field(description="The label with the highest probability.", examples=["nv"])
    label_name: str = Field(description="The label in plain words.")
    probabilities: dict[str, float] = Field(
        description="Calibrated; they sum to 1.",
        examples=[
            {
                "akiec": 0.01,
                "bcc": 0.0,
                "bkl": 0.03,
                "df": 0.0,
                "mel": 0.05,
                "nv": 0.9,
                "vasc": 0.01,
            }
        ],
    )
    malignant_probability: float = Field(description="akiec + bcc + mel.", examples=[0.06])
    suspicious: bool = Field(
        description="Whether `malignant_probability` reaches `suspicious_threshold`."
    )
    suspicious_threshold: float = Field(
        description="The model's declared operating point.", examples=[0.15]
    )


class Segmentation(_Value):
    """Measures of the outlined lesion, each 0..1 but for the box."""

    area_fraction: float = Field(
        description="Share of the picture that the lesion covers.", examples=[0.21]
    )
    bounding_box: tuple[int, int, int, int] = Field(
        description="x, y, width, height in pixels of the picture.", examples=[(180, 90, 240, 260)]
    )
    asymmetry: float = Field(examples=[0.1])
    border_irregularity: float = Field(examples=[0.2])
    color_variegation: float = Field(examples=[0.3])


class Quality(_Value):
    """Whether the picture may be judged, and why not."""

    acceptable: bool = Field(examples=[True])
    reasons: list[str] = Field(
        description="Why not, most important first.", examples=[[], ["blurred"]]
    )


class ModelVersion(_Value):
    """Which model it was."""

    name: str = Field(examples=["classifier"])
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

    queue_ms: float = Field(examples=[0.4])
    run_ms: float = Field(examples=[31.0])
    total_ms: float = Field(examples=[45.2])


class Method(_Value):
    """How the picture was prepared and judged, beside the models."""

    preprocessing: str = Field(
        description="The way from the picture to the models' tensors, and the library that goes it."
    )
    thresholds: dict[str, float] = Field(
        description="What figures were held against, by name.", examples=[{"suspicious": 0.15}]
    )


class Findings(_Value):
    """The whole answer about one picture, without the pictures that belong to it."""

    classification: Classification | None
    segmentation: Segmentation | None
    quality: Quality
    models: list[ModelVersion]
    method: Method | None = Field(
        default=None, description="Null in records from before this was kept."
    )
    timings: Timings
    notice: str
