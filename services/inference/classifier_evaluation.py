"""How well a classifier tells lesions apart, and how honest its probabilities are."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Self

from pydantic import BaseModel, Field, FiniteFloat, NonNegativeInt, model_validator

from services.inference.estimate import FROZEN, Estimate, MaybeEstimate


class Bin(BaseModel):
    """The pictures that were given a probability from ``low`` to ``high``.

    Attributes:
        low: the least of these probabilities.
        high: the next one above them.
        pictures: how many.
        sure: their mean probability.
        right: the share of them that came true.

    """

    model_config = FROZEN

    low: FiniteFloat
    high: FiniteFloat
    pictures: Annotated[int, Field(ge=1)]
    sure: FiniteFloat
    right: Estimate


class Reliability(BaseModel):
    """The bins that hold a picture: of the probability of the label given, and of malignancy."""

    model_config = FROZEN

    label: Sequence[Bin]
    malignant: Sequence[Bin]


class LabelFigures(BaseModel):
    """One label against the rest, the most probable label taken."""

    model_config = FROZEN

    pictures: NonNegativeInt
    sensitivity: MaybeEstimate
    specificity: MaybeEstimate
    auc: MaybeEstimate


class ClassifierEvaluation(BaseModel):
    """What was measured on the split that the headline figures come from.

    Attributes:
        pictures: of the split.
        lesions: that they show.
        labels: figures of each, by code.
        confusion: pictures; rows are the diagnosis, columns the label given, both as ``labels``.
        reliability: of the probabilities.
        expected_calibration_error: of the label given, over 15 bins.
        malignant_calibration_error: of malignancy, over 15 bins.

    """

    model_config = FROZEN

    pictures: NonNegativeInt
    lesions: NonNegativeInt
    labels: Mapping[str, LabelFigures]
    confusion: Sequence[Sequence[NonNegativeInt]]
    reliability: Reliability
    expected_calibration_error: MaybeEstimate
    malignant_calibration_error: MaybeEstimate

    @model_validator(mode="after")
    def _square(self) -> Self:
        if [len(row) for row in self.confusion] != [len(self.labels)] * len(self.labels):
            raise ValueError("a confusion matrix has a row and a column a label")
        return self
