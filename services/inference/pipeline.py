"""The way of one picture: decode, check, segment and classify, explain, measure.

The classifier was trained on whole frames, so it needs no crop and does not wait for the
segmenter: both models run side by side on the one decoded picture.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar

from services.inference import findings, imaging, quality
from services.inference.admission import Admission
from services.inference.analysis import Analysis, Findings, Timings, Wanted
from services.inference.batcher import Answer
from services.inference.contract import ClassifierContract, SegmenterContract
from services.inference.findings import Outlined
from services.inference.imaging import View
from services.inference.metrics import Metrics
from services.inference.onnx_model import Outputs
from services.inference.quality import Quality
from services.inference.stage import Stage

EVERYTHING = Wanted()

_Result = TypeVar("_Result")
_Other = TypeVar("_Other")


class Pipeline:
    """Turns encoded pictures into analyses."""

    def __init__(
        self,
        segmenter: Stage,
        classifier: Stage,
        admission: Admission,
        threads: Executor,
        metrics: Metrics,
    ) -> None:
        """Join two stages.

        Args:
            segmenter: outlines the lesion.
            classifier: predicts the label.
            admission: bounds the pictures in work.
            threads: where pictures are decoded, measured and drawn.
            metrics: what is observed.

        Raises:
            ModelError: a model breaks its contract.

        """
        self.models = (segmenter.model, classifier.model)
        self._segmenter = segmenter
        self._classifier = classifier
        self._admission = admission
        self._threads = threads
        self._metrics = metrics
        self._contract = ClassifierContract.of(classifier.model)
        self._segments_at = SegmenterContract.of(segmenter.model).input_size

    async def analyze(self, encoded: bytes, wanted: Wanted = EVERYTHING) -> Analysis:
        """Analyze one JPEG or PNG file.

        Raises:
            picture.PictureError: the bytes cannot be used as a picture.
            QueueFullError: too many pictures are in work already.
            DrainingError: the service is shutting down.
            BatchError: a model failed.

        """
        with self._admission.place():
            return await self._analyze(encoded, wanted)

    async def _analyze(self, encoded: bytes, wanted: Wanted) -> Analysis:
        began = time.perf_counter()
        view, measured = await self._in_thread(self._look, encoded)
        if measured.reasons:
            return self._answer(began, view, measured, Findings(measured.reasons), ())
        (segmented, outlined), classified = await _both(
            self._outline(view, wanted),
            self._classifier.submit(view.tensors[self._contract.input_size]),
        )
        found = await self._in_thread(
            findings.conclude, view, outlined, classified.output, self._contract, wanted
        )
        return self._answer(began, view, measured, found, (segmented, classified))

    def _look(self, encoded: bytes) -> tuple[View, Quality]:
        with self._metrics.decode_seconds.time():
            view = imaging.view(encoded, frozenset({self._segments_at, self._contract.input_size}))
        shorter_side = min(view.width, view.height)
        return view, quality.measure(view.tensors[self._contract.input_size], shorter_side)

    async def _outline(self, view: View, wanted: Wanted) -> tuple[Answer[Outputs], Outlined]:
        # The segmenter is the quicker of the two: its lesion is measured and drawn while the
        # classifier still runs.
        segmented = await self._segmenter.submit(view.tensors[self._segments_at])
        return segmented, await self._in_thread(findings.outline, view, segmented.output, wanted)

    def _answer(
        self,
        began: float,
        view: View,
        measured: Quality,
        found: Findings,
        answers: tuple[Answer[Outputs], ...],
    ) -> Analysis:
        self._count(found)
        timings = Timings(
            queue_s=sum(answer.queue_s for answer in answers),
            run_s=sum(answer.run_s for answer in answers),
            total_s=time.perf_counter() - began,
        )
        models = tuple(model.provenance for model in self.models)
        return Analysis(view, measured, found, models, timings)

    def _count(self, found: Findings) -> None:
        outcome = "cannot_assess" if found.reasons else "assessed"
        self._metrics.analyses.labels(outcome).inc()
        for reason in found.reasons:
            self._metrics.cannot_assess.labels(reason).inc()

    async def _in_thread(self, work: Callable[..., _Result], *arguments: Any) -> _Result:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, work, *arguments)


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
