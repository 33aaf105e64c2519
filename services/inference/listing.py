"""What is said on the wire about the models and their versions."""

import functools
from collections.abc import Sequence

from services.inference.analysis import LABELS
from services.inference.classifier_evaluation import Bin, ClassifierEvaluation
from services.inference.contract import ClassifierContract, SegmenterContract
from services.inference.estimate import Estimate, Interval
from services.inference.labels import Label
from services.inference.onnx_model import OnnxModel, Provenance
from services.inference.slot import Slot, Standing, State
from services.pb import inference_pb2 as pb

_LABELS = {
    None: pb.VERSION_LABEL_UNSPECIFIED,
    Label.STABLE: pb.VERSION_LABEL_STABLE,
    Label.CANARY: pb.VERSION_LABEL_CANARY,
    Label.SHADOW: pb.VERSION_LABEL_SHADOW,
}
_STATES = {
    State.LOADING: pb.VERSION_STATE_LOADING,
    State.SERVING: pb.VERSION_STATE_SERVING,
    State.DRAINING: pb.VERSION_STATE_DRAINING,
    State.REFUSED: pb.VERSION_STATE_REFUSED,
}


def of(
    segmenter: Slot[SegmenterContract], classifier: Slot[ClassifierContract]
) -> pb.ListModelsResponse:
    """List both models: what is loaded, and what the labels ask for in vain."""
    answer = pb.ListModelsResponse()
    for slot in (segmenter, classifier):
        for standing in slot.standings():
            if standing.model is not None:
                answer.models.append(_loaded(standing.model, standing))
            else:
                answer.pending.append(_pending(slot.name, standing))
        if slot.complaint:
            state = pb.VERSION_STATE_REFUSED
            answer.pending.add(name=slot.name, version_state=state, reason=slot.complaint)
    return answer


@functools.lru_cache(maxsize=8)
def provenance(model: Provenance) -> pb.ModelInfo:
    """Say which model made an answer; what is returned is to be copied and never changed."""
    return pb.ModelInfo(
        name=model.name,
        version=model.version,
        sha256=model.sha256,
        execution_provider=model.execution_provider,
        precision=model.precision,
        variant_of=model.variant_of,
    )


def _loaded(model: OnnxModel, standing: Standing) -> pb.ModelInfo:
    described = pb.ModelInfo()
    described.CopyFrom(provenance(model.provenance))
    _evaluate(described, model)
    if model.provenance.name == "classifier":
        described.labels.extend(LABELS)
    described.version_label = _LABELS[standing.label]
    described.version_state = _STATES[standing.state]
    described.traffic_share = standing.share
    return described


def _evaluate(described: pb.ModelInfo, model: OnnxModel) -> None:
    """Say how well a model did; of a variant, what was measured about the model it stands for.

    What a variant says of itself is a verdict, a few figures without intervals: it serves only
    where there is no evaluation of the model.
    """
    found = model.evaluation
    if found is None:
        metrics = model.setting("metrics", dict)
        described.evaluated_on = str(metrics.get("split", ""))
        described.metrics.update(
            {name: value for name, value in metrics.items() if isinstance(value, int | float)}
        )
        return
    described.evaluated_on = found.split
    described.metrics.update(found.metrics)
    for name, interval in found.intervals.items():
        described.intervals[name].CopyFrom(_interval(interval))
    if found.classifier:
        described.classifier_evaluation.CopyFrom(_classifier(found.classifier))


def _classifier(found: ClassifierEvaluation) -> pb.ClassifierEvaluation:
    return pb.ClassifierEvaluation(
        pictures=found.pictures,
        lesions=found.lesions,
        labels=[
            pb.LabelEvaluation(
                label=label,
                pictures=figures.pictures,
                sensitivity=_estimate(figures.sensitivity),
                specificity=_estimate(figures.specificity),
                auc=_estimate(figures.auc),
                given=given,
            )
            for (label, figures), given in zip(found.labels.items(), found.confusion, strict=True)
        ],
        label_reliability=_reliability(found.reliability.label, found.expected_calibration_error),
        malignant_reliability=_reliability(
            found.reliability.malignant, found.malignant_calibration_error
        ),
    )


def _reliability(bins: Sequence[Bin], error: Estimate | None) -> pb.Reliability:
    return pb.Reliability(
        calibration_error=_estimate(error),
        bins=[
            pb.ReliabilityBin(
                low=each.low,
                high=each.high,
                pictures=each.pictures,
                mean_probability=each.sure,
                frequency=_estimate(each.right),
            )
            for each in bins
        ],
    )


def _estimate(found: Estimate | None) -> pb.Estimate | None:
    return pb.Estimate(value=found.value, interval=_interval(found)) if found else None


def _interval(found: Interval) -> pb.Interval:
    return pb.Interval(low=found.low, high=found.high)


def _pending(name: str, standing: Standing) -> pb.ModelPending:
    return pb.ModelPending(
        name=name,
        version=str(standing.number),
        version_label=_LABELS[standing.label],
        version_state=_STATES[standing.state],
        reason=standing.reason,
    )
