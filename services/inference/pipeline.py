"""The way of one picture: decode, check, segment and classify, explain, measure.

The classifier was trained on whole frames, so it needs no crop and does not wait for the
segmenter: both models run side by side on the one decoded picture.
"""

import asyncio
import dataclasses
from collections import Counter
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from services import picture
from services.inference.admission import Admission
from services.inference.analysis import Analysis, Findings, Timings, Wanted
from services.inference.batch import Answer
from services.inference.contract import ClassifierContract, SegmenterContract
from services.inference.forecast import Forecast
from services.inference.metrics import Metrics
from services.inference.onnx_model import ModelOutputs
from services.inference.priority import WHENEVER, Priority, Request, Urgency
from services.inference.runners import Contender
from services.inference.shadow import Candidate, Shadows
from services.inference.slot import Slot
from services.inference.steps import Answered, Decoded, Encoded, Steps
from services.inference.version import Contract, Version

EVERYTHING = Wanted()

_Result = TypeVar("_Result")
_Other = TypeVar("_Other")


@dataclass(frozen=True, slots=True)
class _Leased:
    """The versions that one request began with, and keeps to its end."""

    segmenter: Version[SegmenterContract]
    classifier: Version[ClassifierContract]

    @property
    def sizes(self) -> frozenset[int]:
        """Heights and widths in pixels that they take."""
        return frozenset({self.segmenter.contract.input_size, self.classifier.contract.input_size})

    @property
    def run_s(self) -> float:
        """Seconds that the slower of them runs, by the measured cost."""
        return max(self.segmenter.stage.own_s, self.classifier.stage.own_s)


@dataclass(frozen=True, slots=True)
class _Judged:
    """What was made of one picture; no answers where the models were not asked."""

    found: Findings
    decoded: Decoded
    answers: tuple[Answer[ModelOutputs], Answer[ModelOutputs]] | tuple[()] = ()


class Pipeline:
    """Turns encoded pictures into analyses.

    Attributes:
        segmenter: the versions of the model that outlines the lesion.
        classifier: the versions of the model that predicts the label.
        admission: bounds what is in work, whoever asks for it.

    """

    def __init__(
        self,
        segmenter: Slot[SegmenterContract],
        classifier: Slot[ClassifierContract],
        shadows: Shadows,
        admission: Admission,
        steps: Steps,
        metrics: Metrics,
    ) -> None:
        """Join two models.

        Args:
            segmenter: outlines the lesion.
            classifier: predicts the label.
            shadows: compares what may answer one day with what answers now.
            admission: bounds the pictures in work.
            steps: decode, measure and draw.
            metrics: what is observed.

        """
        self.segmenter = segmenter
        self.classifier = classifier
        self._shadows = shadows
        self.admission = admission
        self._steps = steps
        self._metrics = metrics
        self._before_models: Counter[Priority] = Counter()
        self._before_end: Counter[Priority] = Counter()

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
        ours = dataclasses.replace(urgency, since=now, request=Request())
        with (
            self.admission.place(lambda: self.forecast(urgency.priority), urgency),
            self.segmenter.lease(encoded) as segmenter,
            self.classifier.lease(encoded) as classifier,
        ):
            leased = _Leased(segmenter, classifier)
            analysis, judged = await self._analyze(encoded, leased, wanted, ours)
        self._compare(leased, judged)
        return analysis

    def forecast(self, priority: Priority) -> Forecast:
        """Return what a picture that came now would wait and take, by the measured costs."""
        steps = self._steps
        segmenter = self.segmenter.lineup.stable.stage
        classifier = self.classifier.lineup.stable.stage
        decode, conclude = (stage.forecast(priority) for stage in (steps.decode, steps.conclude))
        coming = self.coming(priority)
        segment = segmenter.forecast(priority, coming=coming)
        classify = classifier.forecast(
            priority, coming={**coming, segmenter: coming[segmenter] + 1}
        )
        models_s = max(segment.end_s, classify.end_s) - segment.wait_s
        return Forecast(
            wait_s=max(decode.wait_s, segment.wait_s - decode.own_s),
            own_s=decode.own_s + models_s + conclude.own_s,
        )

    def coming(self, priority: Priority) -> dict[Contender, int]:
        """Return how many pictures are on their way to each stage, and will be there before.

        Args:
            priority: of whoever comes now.

        """
        ahead = _ahead(self._before_models, priority)
        return {
            self.segmenter.lineup.stable.stage: ahead,
            self.classifier.lineup.stable.stage: ahead,
            self._steps.conclude: _ahead(self._before_end, priority),
        }

    async def close(self) -> None:
        """Do what waits around the models, then stop; nothing more is compared."""
        await self._shadows.close()
        await self._steps.close()

    async def _analyze(
        self, encoded: bytes, leased: _Leased, wanted: Wanted, urgency: Urgency
    ) -> tuple[Analysis, _Judged]:
        with self._metrics.analysis_seconds.time():
            began = asyncio.get_running_loop().time()
            judged = await self._judge(encoded, leased, wanted, urgency)
            self._count(judged.found)
            timings = Timings(
                queue_s=sum(answer.queue_s for answer in judged.answers),
                run_s=sum(answer.run_s for answer in judged.answers),
                total_s=asyncio.get_running_loop().time() - began,
            )
        # Of a picture that no model saw, those that would have answered.
        ran = [answer.output.provenance for answer in judged.answers]
        both = (leased.segmenter, leased.classifier)
        models = tuple(ran or (version.stage.model.provenance for version in both))
        decoded = judged.decoded
        return Analysis(decoded.view, decoded.quality, judged.found, models, timings), judged

    async def _judge(
        self, encoded: bytes, leased: _Leased, wanted: Wanted, urgency: Urgency
    ) -> _Judged:
        with _counted(self._before_end, urgency.priority):
            with _counted(self._before_models, urgency.priority):
                decoded = await self._decode(encoded, leased, urgency)
            if decoded.quality.reasons:
                return _Judged(Findings(decoded.quality.reasons), decoded)
            segmented, classified = await self._ask(decoded, leased, urgency)
        row = Answered(
            decoded.view, segmented.output, classified.output, leased.classifier.contract, wanted
        )
        found = await self._steps.conclude.submit(row, urgency)
        return _Judged(found.output, decoded, (segmented, classified))

    async def _decode(self, encoded: bytes, leased: _Leased, urgency: Urgency) -> Decoded:
        in_time = urgency.before(leased.run_s + self._conclude_s(leased))
        row = Encoded(encoded, leased.sizes)
        decoded = (await self._steps.decode.submit(row, in_time)).output
        if isinstance(decoded, picture.PictureError):
            raise decoded
        return decoded

    async def _ask(
        self, decoded: Decoded, leased: _Leased, urgency: Urgency
    ) -> tuple[Answer[ModelOutputs], Answer[ModelOutputs]]:
        """Return what the segmenter and the classifier answer, side by side."""
        in_time = urgency.before(self._conclude_s(leased))
        tensors = decoded.view.tensors
        return await _both(
            leased.segmenter.answer(tensors[leased.segmenter.contract.input_size], in_time),
            leased.classifier.answer(tensors[leased.classifier.contract.input_size], in_time),
        )

    def _conclude_s(self, leased: _Leased) -> float:
        """Return the seconds that the last step takes, with its wait for a runner.

        By then the picture is the oldest: it waits until one of the runs that go on has ended,
        which on average have half of a run before them.
        """
        return self._steps.conclude.own_s + leased.run_s / 2

    def _compare(self, leased: _Leased, judged: _Judged) -> None:
        """Offer the shadows what has been answered."""
        if judged.answers:
            segmented, classified = judged.answers
            candidates = (
                _candidate(self.segmenter, leased.segmenter, segmented),
                _candidate(self.classifier, leased.classifier, classified),
            )
            self._shadows.offer(judged.decoded.view, [each for each in candidates if each])

    def _count(self, found: Findings) -> None:
        self._metrics.analyses("cannot_assess" if found.reasons else "assessed").inc()
        for reason in found.reasons:
            self._metrics.cannot_assess(reason).inc()


@contextmanager
def _counted(counter: Counter[Priority], priority: Priority) -> Iterator[None]:
    counter[priority] += 1
    try:
        yield
    finally:
        counter[priority] -= 1


def _ahead(counter: Counter[Priority], priority: Priority) -> int:
    """Return how many of the pictures that were counted come before a new one."""
    if priority is Priority.BULK:
        return counter.total()
    return counter[Priority.INTERACTIVE]


def _candidate(
    slot: Slot[Contract], answered: Version[Contract], answer: Answer[ModelOutputs]
) -> Candidate | None:
    """Return a model's shadow beside what the stable version answered, if it was that one."""
    shadow, stable = slot.lineup.shadow, slot.lineup.stable
    if shadow is None or answered is not stable:
        return None
    return Candidate(shadow.stage, answer.output)


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
        # A task keeps its error, the error this frame, and the frame would keep the task: the
        # picture in it would stay in memory until the garbage collector comes by.
        del first, second
