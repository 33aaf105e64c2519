"""Versions of models, as the inference service lists them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from services.gateway.clients.evaluation import ClassifierEvaluation, Interval
from services.pb import inference_pb2 as pb


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How well a model did.

    Attributes:
        evaluated_on: the split that made the figures.
        metrics: the figures, by name.
        intervals: of those figures whose intervals are known, by the same names; an inference
            service of before knows none.
        classifier: what else is known of a classifier, if anything is.

    """

    evaluated_on: str
    metrics: Mapping[str, float]
    intervals: Mapping[str, Interval]
    classifier: ClassifierEvaluation | None = None

    @classmethod
    def of(cls, model: pb.ModelInfo) -> Self:
        """Read it."""
        return cls(
            model.evaluated_on,
            dict(model.metrics),
            {name: Interval(ends.low, ends.high) for name, ends in model.intervals.items()},
            ClassifierEvaluation.of(model.classifier_evaluation)
            if model.HasField("classifier_evaluation")
            else None,
        )


@dataclass(frozen=True, slots=True)
class Model:
    """A version of a model that is loaded, with the figures of its evaluation.

    Attributes:
        name: of the model.
        version: its number.
        version_label: ``"stable"``, ``"canary"``, ``"shadow"``, ``"unspecified"`` for one that is
            being replaced, or ``"other"`` for what a later service may know.
        version_state: what it is doing, for example ``"serving"``.
        traffic_share: of the pictures, 0..1, that this version answers.
        sha256: of its file.
        variant_of: SHA-256 of the model that the file is a variant of; empty for the model.
        labels: the codes that it tells apart.
        execution_provider: the hardware backend that runs it.
        precision: that it is computed in; empty when unknown.
        evaluation: how well it did.

    """

    name: str
    version: str
    version_label: str
    version_state: str
    traffic_share: float
    sha256: str
    variant_of: str
    labels: list[str]
    execution_provider: str
    precision: str
    evaluation: Evaluation

    @property
    def answers(self) -> bool:
        """Whether it answers: shadows, and those on their way out, are loaded too."""
        return self.traffic_share > 0

    @classmethod
    def of(cls, model: pb.ModelInfo) -> Self:
        """Read it."""
        return cls(
            model.name,
            model.version,
            _label(model.version_label),
            _state(model.version_state),
            model.traffic_share,
            model.sha256,
            model.variant_of,
            list(model.labels),
            model.execution_provider,
            model.precision,
            Evaluation.of(model),
        )


@dataclass(frozen=True, slots=True)
class Pending:
    """What the labels ask for and is not there.

    Attributes:
        name: of the model.
        version: its number; empty where the labels themselves cannot be used.
        version_label: as of a ``Model``.
        version_state: ``"loading"`` or ``"refused"``.
        reason: why it was refused, in a sentence; empty otherwise.

    """

    name: str
    version: str
    version_label: str
    version_state: str
    reason: str


@dataclass(frozen=True, slots=True)
class Lineup:
    """All versions: those that are loaded, those that answer first, and what is not there."""

    models: list[Model]
    pending: list[Pending]

    @classmethod
    def of(cls, answer: pb.ListModelsResponse) -> Self:
        """Read it."""
        return cls(
            [Model.of(model) for model in answer.models],
            [
                Pending(
                    each.name,
                    each.version,
                    _label(each.version_label),
                    _state(each.version_state),
                    each.reason,
                )
                for each in answer.pending
            ],
        )


def _label(label: pb.VersionLabel) -> str:
    known = label in pb.VersionLabel.values()
    return pb.VersionLabel.Name(label).removeprefix("VERSION_LABEL_").lower() if known else "other"


def _state(state: pb.VersionState) -> str:
    known = state in pb.VersionState.values()
    return pb.VersionState.Name(state).removeprefix("VERSION_STATE_").lower() if known else "other"
