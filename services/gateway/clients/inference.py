"""The inference service, in the gateway's words."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from grpc import aio

from services.gateway import errors
from services.gateway.clients.calls import call, our_fault
from services.gateway.clients.models import Lineup, Model
from services.gateway.deadlines import Deadline
from services.gateway.findings import (
    LABEL_NAMES,
    Classification,
    Findings,
    Method,
    ModelVersion,
    Quality,
    Segmentation,
    Timings,
)
from services.pb import inference_pb2 as pb
from services.pb import inference_pb2_grpc

_TOO_LARGE = "too_large"
"""What inference says in ``rpc.REASON_TRAILER`` of a file or a picture that is."""

_MALIGNANT = ("akiec", "bcc", "mel")
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
# Probabilities are added up in another order here, and may have been rounded.
_ROUNDING = 1e-3

_OUTCOMES = {pb.OUTCOME_ASSESSED: "assessed", pb.OUTCOME_CANNOT_ASSESS: "cannot_assess"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What inference found in one picture.

    Attributes:
        outcome: ``"assessed"`` or ``"cannot_assess"``.
        findings: all that is not a picture.
        mask_png: 255 lesion, 0 skin; empty when no lesion was found.
        explanation_png: 255 spoke most for the label; empty when not assessed.

    """

    outcome: str
    findings: Findings
    mask_png: bytes
    explanation_png: bytes


class Inference:
    """Asks the inference service."""

    def __init__(self, channel: aio.Channel) -> None:
        self._stub = inference_pb2_grpc.InferenceServiceStub(channel)

    async def analyze(self, picture: bytes, deadline: Deadline, *, bulk: bool = False) -> Answer:
        """Analyze one picture file.

        Args:
            picture: the file.
            deadline: when to stop waiting.
            bulk: whether it gives way to pictures that somebody waits for.

        Raises:
            InvalidPictureError: inference cannot use the picture.
            TooLargeError: inference takes smaller ones only.
            UnavailableError: it is down or has too much to do.
            DeadlinePassedError: no answer in time.
            UpstreamError: it failed, or its answer makes no sense.

        """
        priority = pb.PRIORITY_BULK if bulk else pb.PRIORITY_INTERACTIVE
        request = pb.AnalyzeRequest(image=picture, options=pb.AnalyzeOptions(priority=priority))
        answer = await call(
            self._stub.Analyze, request, pb.AnalyzeResponse, deadline, _picture_refused
        )
        try:
            return read_answer(answer)
        except (KeyError, ValueError) as error:
            raise errors.UpstreamError(f"inference answered nonsense: {error}") from error

    async def models(self, deadline: Deadline) -> list[Model]:
        """List the models that answer now; raises as ``lineup`` does."""
        return [model for model in (await self.lineup(deadline)).models if model.answers]

    async def lineup(self, deadline: Deadline) -> Lineup:
        """List all versions: those that are loaded, and what the labels ask for in vain.

        Raises:
            UnavailableError: inference is down.
            DeadlinePassedError: no answer in time.
            UpstreamError: it failed.

        """
        request = pb.ListModelsRequest()
        answer = await call(
            self._stub.ListModels, request, pb.ListModelsResponse, deadline, our_fault
        )
        return Lineup.of(answer)


def _picture_refused(details: str, reason: str | None) -> errors.GatewayError:
    """Tell too large from unusable: the wire has one status for both."""
    sentence = f"{details[:1].upper()}{details[1:].rstrip('.')}."
    if reason == _TOO_LARGE:
        return errors.TooLargeError(sentence)
    return errors.InvalidPictureError(sentence)


def read_answer(answer: pb.AnalyzeResponse) -> Answer:
    """Read inference's answer.

    Raises:
        KeyError: it has a word that we do not know.
        ValueError: it contradicts itself.

    """
    outcome = _OUTCOMES[answer.outcome]
    if (outcome == "assessed") != answer.HasField("classification"):
        raise ValueError("outcome and classification contradict each other")
    if outcome != "assessed" and not answer.quality.reasons:
        raise ValueError("not assessed, and no reason why")
    findings = Findings(
        classification=_classification(answer.classification) if outcome == "assessed" else None,
        segmentation=_segmentation(answer.segmentation)
        if answer.HasField("segmentation")
        else None,
        quality=Quality(
            acceptable=answer.quality.acceptable,
            reasons=[_word(pb.Reason.Name(reason)) for reason in answer.quality.reasons],
        ),
        models=[_model_version(model) for model in answer.models],
        method=_method(answer.method) if answer.HasField("method") else None,
        timings=Timings(
            queue_ms=answer.timings.queue_ms,
            run_ms=answer.timings.run_ms,
            total_ms=answer.timings.total_ms,
        ),
        notice=answer.notice,
    )
    return Answer(
        outcome, findings, answer.segmentation.mask_png, answer.classification.explanation_png
    )


def _classification(found: pb.Classification) -> Classification:
    probabilities = {_label(each.label): each.probability for each in found.probabilities}
    if probabilities.keys() != LABEL_NAMES.keys():
        raise ValueError("not one probability a label")
    _refuse_unlikely(probabilities, found.malignant_probability)
    label = _label(found.label)
    return Classification(
        label=label,
        label_name=LABEL_NAMES[label],
        probabilities=probabilities,
        malignant_probability=found.malignant_probability,
        suspicious=found.suspicious,
        suspicious_threshold=found.suspicious_threshold,
    )


def _refuse_unlikely(probabilities: Mapping[str, float], malignant: float) -> None:
    """Raise ``ValueError`` where numbers cannot be probabilities that belong together."""
    if not all(0 <= value <= 1 for value in probabilities.values()):
        raise ValueError("a probability outside 0..1")
    if not math.isclose(sum(probabilities.values()), 1, abs_tol=_ROUNDING):
        raise ValueError("probabilities that do not sum to 1")
    parts = sum(probabilities[label] for label in _MALIGNANT)
    if not math.isclose(malignant, parts, abs_tol=_ROUNDING):
        raise ValueError("a malignant probability that is not the sum of its parts")


def _segmentation(found: pb.Segmentation) -> Segmentation:
    box = found.bounding_box
    return Segmentation(
        area_fraction=found.area_fraction,
        bounding_box=(box.x_px, box.y_px, box.width_px, box.height_px),
        asymmetry=found.asymmetry,
        border_irregularity=found.border_irregularity,
        color_variegation=found.color_variegation,
    )


def _model_version(model: pb.ModelInfo) -> ModelVersion:
    if _SHA256.fullmatch(model.sha256) is None:
        raise ValueError("a model without its hash")
    return ModelVersion(
        name=model.name,
        version=model.version,
        sha256=model.sha256,
        execution_provider=model.execution_provider or None,
        precision=model.precision or None,
        variant_of=model.variant_of or None,
    )


def _method(method: pb.Method) -> Method:
    return Method(preprocessing=method.preprocessing, thresholds=dict(method.thresholds))


def _label(label: pb.Label) -> str:
    return _word(pb.Label.Name(label))


def _word(name: str) -> str:
    """Turn an enumerator's name into the word after its prefix: REASON_TOO_DARK, too_dark."""
    return name.partition("_")[2].lower()
