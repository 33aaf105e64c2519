"""The typed gRPC service: message in, message out."""

import contextlib
import functools
from collections.abc import AsyncIterator
from typing import Any

from grpc import aio

from services import rpc
from services.inference import listing, streams
from services.inference.analysis import LABELS, NOTICE, Analysis, Classification, Method, Wanted
from services.inference.lesion import Lesion
from services.inference.pipeline import Pipeline
from services.inference.priority import Priority, Urgency
from services.inference.statuses import STATUSES
from services.pb import inference_pb2 as pb
from services.pb import inference_pb2_grpc

SERVICE = pb.DESCRIPTOR.services_by_name["InferenceService"].full_name

_PRIORITIES = {pb.PRIORITY_INTERACTIVE: Priority.INTERACTIVE, pb.PRIORITY_BULK: Priority.BULK}

_LABELS = {code: f"LABEL_{code.upper()}" for code in LABELS}

_Context = aio.ServicerContext[Any, Any]


class InferenceServicer(inference_pb2_grpc.InferenceServiceServicer):
    """Speaks for a pipeline."""

    def __init__(self, pipeline: Pipeline, *, stream_width: int) -> None:
        """Wrap a pipeline.

        Args:
            pipeline: what analyzes.
            stream_width: pictures of one stream that are in work at the same time.

        """
        self._pipeline = pipeline
        self._stream_width = stream_width

    async def Analyze(self, request: pb.AnalyzeRequest, context: _Context) -> pb.AnalyzeResponse:
        """Answer one picture."""
        return await self._analyze(request, rpc.deadline_of(context), Priority.INTERACTIVE)

    async def AnalyzeStream(
        self, request_iterator: AsyncIterator[pb.AnalyzeStreamRequest], context: _Context
    ) -> AsyncIterator[pb.AnalyzeStreamResponse]:
        """Answer many pictures, each as soon as it is ready."""
        deadline = rpc.deadline_of(context)

        async def answer(request: pb.AnalyzeStreamRequest) -> pb.AnalyzeStreamResponse:
            try:
                response = await self._analyze(request.request, deadline, Priority.BULK)
                return pb.AnalyzeStreamResponse(id=request.id, response=response)
            except Exception as error:  # noqa: BLE001 - one picture's trouble is not the others'
                return _stream_error(request.id, error)

        async with contextlib.aclosing(
            streams.answered(request_iterator, answer, self._stream_width)
        ) as answers:
            async for ready in answers:
                yield ready

    async def ListModels(
        self, request: pb.ListModelsRequest, context: _Context
    ) -> pb.ListModelsResponse:
        """List the versions of both models, with what is known of them."""
        del request, context
        return listing.of(self._pipeline.segmenter, self._pipeline.classifier)

    async def _analyze(
        self, request: pb.AnalyzeRequest, deadline: float, unless_told: Priority
    ) -> pb.AnalyzeResponse:
        wanted = Wanted(
            mask=not request.options.omit_mask,
            explanation=not request.options.omit_explanation,
        )
        # A priority of a newer contract than ours counts as none.
        priority = _PRIORITIES.get(request.options.priority, unless_told)
        urgency = Urgency(deadline, priority)
        return message(await self._pipeline.analyze(request.image, wanted, urgency))


def _stream_error(request_id: str, error: Exception) -> pb.AnalyzeStreamResponse:
    status, sentence = rpc.answer_to(error, STATUSES)
    number: int = status.value[0]
    pushback_ms = rpc.pushback_ms(error) or 0
    return pb.AnalyzeStreamResponse(
        id=request_id,
        error=pb.StreamError(
            code=number,
            message=sentence,
            retry_pushback_ms=pushback_ms,
            reason=rpc.reason_of(error) or "",
        ),
    )


def message(analysis: Analysis) -> pb.AnalyzeResponse:
    """Say an analysis in the words of the wire."""
    found = analysis.findings
    return pb.AnalyzeResponse(
        outcome=pb.OUTCOME_CANNOT_ASSESS if found.reasons else pb.OUTCOME_ASSESSED,
        image=pb.ImageInfo(
            width_px=analysis.view.width,
            height_px=analysis.view.height,
            format=analysis.view.format,
        ),
        classification=_classification(found.classification) if found.classification else None,
        segmentation=_segmentation(found.lesion, found.mask_png) if found.lesion else None,
        quality=_quality(analysis),
        models=[listing.provenance(model) for model in analysis.models],
        timings=pb.Timings(
            queue_ms=analysis.timings.queue_s * 1000,
            run_ms=analysis.timings.run_s * 1000,
            total_ms=analysis.timings.total_s * 1000,
        ),
        notice=NOTICE,
        method=_method(analysis.method),
    )


@functools.lru_cache(maxsize=8)
def _method(method: Method) -> pb.Method:
    return pb.Method(preprocessing=method.preprocessing, thresholds=method.thresholds)


def _classification(classification: Classification) -> pb.Classification:
    return pb.Classification(
        label=_LABELS[classification.label],
        probabilities=[
            pb.LabelProbability(label=_LABELS[code], probability=probability)
            for code, probability in classification.probabilities.items()
        ],
        malignant_probability=classification.malignant_probability,
        suspicious=classification.suspicious,
        suspicious_threshold=classification.suspicious_threshold,
        explanation_png=classification.explanation_png,
    )


def _segmentation(lesion: Lesion, mask_png: bytes) -> pb.Segmentation:
    x, y, width, height = lesion.bounding_box
    return pb.Segmentation(
        mask_png=mask_png,
        area_fraction=lesion.area_fraction,
        bounding_box=pb.BoundingBox(x_px=x, y_px=y, width_px=width, height_px=height),
        asymmetry=lesion.asymmetry,
        border_irregularity=lesion.border_irregularity,
        color_variegation=lesion.color_variegation,
        outline_px=lesion.outline.ravel().tolist(),
    )


def _quality(analysis: Analysis) -> pb.Quality:
    return pb.Quality(
        acceptable=not analysis.findings.reasons,
        reasons=[f"REASON_{reason.upper()}" for reason in analysis.findings.reasons],
        brightness=analysis.quality.brightness,
        contrast=analysis.quality.contrast,
        sharpness=analysis.quality.sharpness,
    )
