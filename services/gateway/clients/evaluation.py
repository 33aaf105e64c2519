"""What was measured about a classifier, as the inference service tells it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

from services.pb import inference_pb2 as pb


class Interval(NamedTuple):
    """The 95 % interval of a figure."""

    low: float
    high: float


class Estimate(NamedTuple):
    """A figure, with its 95 % interval where that is known."""

    value: float
    interval: Interval | None

    @classmethod
    def of(cls, told: pb.Estimate) -> Self:
        """Read it."""
        ends = Interval(told.interval.low, told.interval.high)
        return cls(told.value, ends if told.HasField("interval") else None)


@dataclass(frozen=True, slots=True)
class Bin:
    """The pictures that were given a probability from ``low`` to ``high``.

    Attributes:
        low: the least of these probabilities.
        high: the next one above them.
        pictures: how many.
        mean_probability: of them.
        frequency: the share of them of which it came true.

    """

    low: float
    high: float
    pictures: int
    mean_probability: float
    frequency: Estimate


@dataclass(frozen=True, slots=True)
class Reliability:
    """How honest probabilities are.

    Attributes:
        calibration_error: the expected one, over the bins; None when unknown.
        bins: those that hold a picture, lowest first.

    """

    calibration_error: Estimate | None
    bins: Sequence[Bin]

    @classmethod
    def of(cls, told: pb.Reliability) -> Self:
        """Read it."""
        error = told.calibration_error if told.HasField("calibration_error") else None
        return cls(
            Estimate.of(error) if error else None,
            [
                Bin(
                    each.low,
                    each.high,
                    each.pictures,
                    each.mean_probability,
                    Estimate.of(each.frequency),
                )
                for each in told.bins
            ],
        )


@dataclass(frozen=True, slots=True)
class LabelEvaluation:
    """One label against the rest; figures that are not defined are None.

    Attributes:
        label: its code.
        pictures: that show it by their diagnosis.
        sensitivity: share of them that were given it.
        specificity: share of the others that were not.
        auc: the area under its ROC curve.
        given: how many of its pictures were given each label, in the order of the labels.

    """

    label: str
    pictures: int
    sensitivity: Estimate | None
    specificity: Estimate | None
    auc: Estimate | None
    given: Sequence[int]

    @classmethod
    def of(cls, told: pb.LabelEvaluation) -> Self:
        """Read it."""
        return cls(
            told.label,
            told.pictures,
            Estimate.of(told.sensitivity) if told.HasField("sensitivity") else None,
            Estimate.of(told.specificity) if told.HasField("specificity") else None,
            Estimate.of(told.auc) if told.HasField("auc") else None,
            list(told.given),
        )


@dataclass(frozen=True, slots=True)
class ClassifierEvaluation:
    """How well a classifier told pictures apart.

    Attributes:
        pictures: that it was measured on.
        lesions: that they show.
        labels: one entry a label.
        of_label: how honest the probability of the label given was.
        of_malignancy: how honest the malignant probability was.

    """

    pictures: int
    lesions: int
    labels: Sequence[LabelEvaluation]
    of_label: Reliability
    of_malignancy: Reliability

    @classmethod
    def of(cls, told: pb.ClassifierEvaluation) -> Self:
        """Read it."""
        return cls(
            told.pictures,
            told.lesions,
            [LabelEvaluation.of(each) for each in told.labels],
            Reliability.of(told.label_reliability),
            Reliability.of(told.malignant_reliability),
        )
