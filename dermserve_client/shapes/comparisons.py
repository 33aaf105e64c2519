"""A lesion over time, and two analyses beside each other."""

from datetime import datetime

from dermserve_client.shapes.shape import Shape


class Change(Shape):
    """A figure of the first analysis and of the second; None where there is none.

    ``difference`` is the second without the first, ``relative`` that as a share of the first.
    """

    first: float | None
    second: float | None
    difference: float | None
    relative: float | None


class Alignment(Shape):
    """How the second picture is laid over the first, so that the lesions meet.

    ``matrix`` is that of SVG and CSS, ``overlap`` the Jaccard index of the two so laid.
    """

    scale: float
    rotation_degrees: float
    shift: tuple[float, float]
    matrix: tuple[float, float, float, float, float, float]
    overlap: float


class Comparison(Shape):
    """What has changed from one analysis to another; ``alignment`` needs both outlines."""

    first: str
    second: str
    same_lesion: bool
    same_models: bool
    area_fraction: Change
    asymmetry: Change
    border_irregularity: Change
    color_variegation: Change
    malignant_probability: Change
    probabilities: dict[str, Change]
    alignment: Alignment | None


class Moment(Shape):
    """A lesion at one of the times at which a picture was analyzed."""

    analysis: str
    created_at: datetime
    outcome: str
    label: str | None
    malignant_probability: float | None
    suspicious: bool | None
    area_fraction: float | None
    color_variegation: float | None
    verdict: str | None
