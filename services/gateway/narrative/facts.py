"""What a summary is written from, and all that leaves the house for it: codes and figures."""

from typing import Literal, Self, get_args

from pydantic import BaseModel, ConfigDict

from services.gateway.findings import Classification, Findings, Segmentation

Label = Literal["akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"]
Reason = Literal[
    "too_small",
    "too_dark",
    "too_bright",
    "low_contrast",
    "blurred",
    "no_lesion",
    "not_dermoscopy",
]

Subject = Literal["label", "malignant", "threshold", "area", "asymmetry", "border", "color"]
"""What a figure can be of."""

_REASONS = frozenset(get_args(Reason))


class Prediction(BaseModel):
    """What was predicted; figures are percentages with one decimal."""

    model_config = ConfigDict(frozen=True)

    label: Label
    probability: float
    malignant_probability: float
    suspicious: bool
    suspicious_threshold: float


class Measures(BaseModel):
    """What was measured: the area in percent of the picture, the rest from 0 to 1."""

    model_config = ConfigDict(frozen=True)

    area: float
    asymmetry: float
    border_irregularity: float
    color_variegation: float


class Facts(BaseModel):
    """Coded findings; no picture, no id, no moment, and nothing that anybody typed.

    Attributes:
        prediction: None where the picture was not assessed.
        measures: None where there is no prediction, or no lesion was outlined.
        reasons: why it was not assessed.

    """

    model_config = ConfigDict(frozen=True)

    prediction: Prediction | None
    measures: Measures | None
    reasons: tuple[Reason, ...]

    @classmethod
    def of(cls, found: Findings) -> Self:
        """Take from findings what a summary needs."""
        if found.classification is None:
            known = (reason for reason in found.quality.reasons if reason in _REASONS)
            return cls.model_validate({"prediction": None, "measures": None, "reasons": [*known]})
        return cls(
            prediction=_prediction(found.classification),
            measures=_measures(found.segmentation) if found.segmentation else None,
            reasons=(),
        )

    @property
    def percentages(self) -> dict[Subject, float]:
        """Every percentage that may be told, by what it is of."""
        predicted, measured = self.prediction, self.measures
        found: dict[Subject, float] = {"area": measured.area} if measured else {}
        if predicted is not None:
            found["label"] = predicted.probability
            found["malignant"] = predicted.malignant_probability
            found["threshold"] = predicted.suspicious_threshold
        return found

    @property
    def shares(self) -> dict[Subject, float]:
        """Every figure from 0 to 1 that may be told, by what it is of."""
        measured = self.measures
        if measured is None:
            return {}
        return {
            "asymmetry": measured.asymmetry,
            "border": measured.border_irregularity,
            "color": measured.color_variegation,
        }


def _prediction(found: Classification) -> Prediction:
    return Prediction.model_validate(
        {
            "label": found.label,
            "probability": _percent(found.probabilities[found.label]),
            "malignant_probability": _percent(found.malignant_probability),
            "suspicious": found.suspicious,
            "suspicious_threshold": _percent(found.suspicious_threshold),
        }
    )


def _measures(found: Segmentation) -> Measures:
    return Measures(
        area=_percent(found.area_fraction),
        asymmetry=round(found.asymmetry, 2),
        border_irregularity=round(found.border_irregularity, 2),
        color_variegation=round(found.color_variegation, 2),
    )


def _percent(share: float) -> float:
    """Return a percentage that rounds to no impossible and no certain event."""
    return min(max(round(100 * share, 1), 0.1), 99.9)
