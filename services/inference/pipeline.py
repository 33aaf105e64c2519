"""The way of one picture: decode, check, segment and classify, explain, measure.

The classifier was trained on whole frames, so it needs no crop and does not wait for the
segmenter: both models run side by side on the one decoded picture.
"""

import asyncio
import dataclasses
from collections import Counter
from collections.abc import Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar

from services import picture
from services.inference.admission import Admission
from services.inference.analysis import Analysis, Findings, Timings, Wanted
from services.inference.batch import Answer
from services.inference.contract import ClassifierContract, SegmenterContract
from services.inference.findings import Outlined
from services.inference.forecast import Forecast
from services.inference.metrics import Metrics
from services.inference.onnx_model import Outputs
from services.inference.priority import WHENEVER, Priority, Urgency
from services.inference.refusal import RefusedError
from services.inference.runners import Runners
from services.inference.stage import ModelStage
from services.inference.steps import Classified, Decoded, Segmented, Steps

EVERYTHING = Wanted()

_Result = TypeVar("_Result")
_Other = TypeVar("_Other")


class Pipeline:
    """Turns encoded pictures into analyses."""

    def __init__(
        self,
        segmenter: ModelStage,
        classifier: ModelStage,
        admission: Admission,
        imaging: Runners,
        threads: Executor,
        metrics: Metrics,
    ) -> None:
        """Join two models.

        Args:
            segmenter: outlines the lesion.
            classifier: predicts the label.
            admission: bounds the pictures in work.
            imaging: permits to decode, measure and draw, one for each core.
            threads: where that is done; as many threads.
            metrics: what is observed.

        Raises:
            ModelError: a model breaks its contract.

        """
        self.models = (segmenter.model, classifier.model)
        self._segmenter = segmenter
        self._classifier = classifier
        self._admission = admission
        self._metrics = metrics
        contract = ClassifierContract.of(classifier.model)
        self._classifies_at = contract.input_size
        self._segments_at = SegmenterContract.of(segmenter.model).input_size
        sizes = frozenset({self._segments_at, self._classifies_at})
        self._steps = Steps(contract, sizes, imaging, threads, metrics)
        self._before_models: Counter[Priority] = Counter()

    async def analyze(
        self, encoded: bytes, wanted: Wanted = EVERYTHING, urgency: Urgency = WHENEVER
    ) -> Analysis:
        """Analyze one JPEG or PNG file.

        Raises:
            picture.PictureError: the bytes cannot be used as a picture.
            QueueFullError: too many pictures are in work already.
            TooLateError: by the measured cost, the answer would come after the deadline.
            DeadlinePassedError: it did.
            DrainingError: the service is shutting down.
            BatchError: a model failed.

        """
        now = asyncio.get_running_loop().time()
        try:
            with self._admission.place(lambda: self.forecast(urgency.priority), urgency):
                return await self._analyze(encoded, wanted, dataclasses.replace(urgency, since=now))
        except RefusedError as refusal:
            self._metrics.refused.labels(refusal.reason).inc()
            raise

    def forecast(self, priority: Priority) -> Forecast:
        """Return what a picture that came now would wait and take, by the measured costs."""
        steps, segmenter, classifier = self._steps, self._segmenter, self._classifier
        decode, outline, conclude, segment, classify = (
            stage.forecast(priority)
            for stage in (steps.decode, steps.outline, steps.conclude, segmenter, classifier)
        )
        # A picture waits at the narrower of the two places; those that are still on their way
        # to the models will be there before it.
        ahead = self._ahead(priority)
        coming_s = segmenter.delay_s(ahead) + classifier.delay_s(ahead)
        both_s = max(segment.own_s + outline.own_s, classify.own_s)
        if segmenter.runners.count == 1:
            both_s = max(both_s, segment.own_s + classify.own_s)
        return Forecast(
            wait_s=max(decode.wait_s, segment.wait_s + coming_s),
            own_s=decode.own_s + both_s + conclude.own_s,
        )

    async def close(self) -> None:
        """Do what waits around the models, then stop."""
        await self._steps.close()

    def _ahead(self, priority: Priority) -> int:
        """Return how many pictures on their way to the models come before a new one."""
        if priority is Priority.BULK:
            return self._before_models.total()
        return self._before_models[Priority.INTERACTIVE]

    async def _analyze(self, encoded: bytes, wanted: Wanted, urgency: Urgency) -> Analysis:
        with self._metrics.analysis_seconds.time():
            began = asyncio.get_running_loop().time()
            found, decoded, answers = await self._judge(encoded, wanted, urgency)
            self._count(found)
            timings = Timings(
                queue_s=sum(answer.queue_s for answer in answers),
                run_s=sum(answer.run_s for answer in answers),
                total_s=asyncio.get_running_loop().time() - began,
            )
        models = tuple(model.provenance for model in self.models)
        return Analysis(decoded.view, decoded.quality, found, models, timings)

    async def _judge(
        self, encoded: bytes, wanted: Wanted, urgency: Urgency
    ) -> tuple[Findings, Decoded, tuple[Answer[Outputs], ...]]:
        decoded = await self._decode(encoded, urgency)
        if decoded.quality.reasons:
            return Findings(decoded.quality.reasons), decoded, ()
        view = decoded.view
        (segmented, outlined), classified = await _both(
            self._outline(decoded, wanted, urgency),
            self._classifier.submit(view.tensors[self._classifies_at], urgency),
        )
        row = Classified(view, outlined, classified.output, wanted)
        found = await self._steps.conclude.submit(row, urgency)
        return found.output, decoded, (segmented, classified)

    async def _decode(self, encoded: bytes, urgency: Urgency) -> Decoded:
        self._before_models[urgency.priority] += 1
        try:
            decoded = (await self._steps.decode.submit(encoded, urgency)).output
        finally:
            self._before_models[urgency.priority] -= 1
        if isinstance(decoded, picture.PictureError):
            raise decoded
        return decoded

    async def _outline(
        self, decoded: Decoded, wanted: Wanted, urgency: Urgency
    ) -> tuple[Answer[Outputs], Outlined]:
        # The segmenter is the quicker of the two: its lesion is measured and drawn while the
        # classifier still runs.
        tensor = decoded.view.tensors[self._segments_at]
        segmented = await self._segmenter.submit(tensor, urgency)
        row = Segmented(decoded.view, segmented.output, wanted)
        return segmented, (await self._steps.outline.submit(row, urgency)).output

    def _count(self, found: Findings) -> None:
        outcome = "cannot_assess" if found.reasons else "assessed"
        self._metrics.analyses.labels(outcome).inc()
        for reason in found.reasons:
            self._metrics.cannot_assess.labels(reason).inc()


async def _both(
    one: Coroutine[Any, Any, _Result], other: Coroutine[Any, Any, _Other]
) -> tuple[_Result, _Other]:
    """Run two side by side; when one fails, the other has no reader left and ends too."""
    first, second = asyncio.create_task(one), asyncio.create_task(other)
    try:
        return await asyncio.gather(first, second)
    finally:
        first.cancel()
        second.cancel()
