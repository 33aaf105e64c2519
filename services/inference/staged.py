"""A picture step by step: decode, then both models side by side, then conclude.

Each step has a line of its own. On idle cores this is the shortest way, and on a card the only
one that fills batches.
"""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from services.inference.analysis import Findings, Wanted
from services.inference.batch import Answer
from services.inference.contract import ClassifierContract, SegmenterContract
from services.inference.forecast import Forecast
from services.inference.judgement import Judged, Leased
from services.inference.onnx_model import ModelOutputs
from services.inference.priority import Priority, Turns, Urgency
from services.inference.runners import Contender
from services.inference.slot import Slot
from services.inference.steps import Answered, Decoded, Encoded, Steps, usable

_Result = TypeVar("_Result")
_Other = TypeVar("_Other")


class Staged:
    """Judges pictures step by step."""

    def __init__(
        self, segmenter: Slot[SegmenterContract], classifier: Slot[ClassifierContract], steps: Steps
    ) -> None:
        """Join two models and the steps around them."""
        self._segmenter = segmenter
        self._classifier = classifier
        self._steps = steps
        self._before_models: Counter[Priority] = Counter()
        self._before_end: Counter[Priority] = Counter()

    async def judge(
        self, encoded: bytes, leased: Leased, wanted: Wanted, urgency: Urgency
    ) -> Judged:
        """Judge one JPEG or PNG file; raises as ``Pipeline.analyze`` does."""
        with _counted(self._before_end, urgency.priority):
            with _counted(self._before_models, urgency.priority):
                decoded = await self._decode(encoded, leased, urgency)
            if decoded.quality.reasons:
                return Judged(Findings(decoded.quality.reasons), decoded)
            answers = await self._ask(decoded, leased, urgency)
        outputs = segmented, classified = answers[0].output, answers[1].output
        row = Answered(decoded.view, segmented, classified, leased.classifier.contract, wanted)
        found = await self._steps.conclude.submit(row, urgency)
        queue_s = sum(answer.queue_s for answer in answers)
        run_s = sum(answer.run_s for answer in answers)
        return Judged(found.output, decoded, outputs, queue_s, run_s)

    @property
    def work_s(self) -> float:
        """Seconds that the steps of a picture take one after the other, as last measured."""
        models = (self._segmenter.lineup.stable.stage, self._classifier.lineup.stable.stage)
        steps = (self._steps.decode, self._steps.conclude)
        return sum(each.sizing.seconds(1) for each in (*models, *steps))

    def forecast(self, priority: Priority) -> Forecast:
        """Return what a picture that came now would wait and take, by the measured costs."""
        steps = self._steps
        segmenter = self._segmenter.lineup.stable.stage
        classifier = self._classifier.lineup.stable.stage
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
            self._segmenter.lineup.stable.stage: ahead,
            self._classifier.lineup.stable.stage: ahead,
            self._steps.conclude: _ahead(self._before_end, priority),
        }

    async def _decode(self, encoded: bytes, leased: Leased, urgency: Urgency) -> Decoded:
        in_time = urgency.before(leased.run_s + self._conclude_s(leased))
        row = Encoded(encoded, leased.sizes)
        return usable((await self._steps.decode.submit(row, in_time)).output)

    async def _ask(
        self, decoded: Decoded, leased: Leased, urgency: Urgency
    ) -> tuple[Answer[ModelOutputs], Answer[ModelOutputs]]:
        """Return what the segmenter and the classifier answer, side by side."""
        in_time = urgency.before(self._conclude_s(leased))
        tensors = decoded.view.tensors
        return await _both(
            leased.segmenter.answer(tensors[leased.segmenter.contract.input_size], in_time),
            leased.classifier.answer(tensors[leased.classifier.contract.input_size], in_time),
        )

    def _conclude_s(self, leased: Leased) -> float:
        """Return the seconds that the last step takes, with its wait for a runner.

        By then the picture is the oldest: it waits until one of the runs that go on has ended,
        which on average have half of a run before them.
        """
        return self._steps.conclude.own_s + leased.run_s / 2


@contextmanager
def _counted(counter: Counter[Priority], priority: Priority) -> Iterator[None]:
    counter[priority] += 1
    try:
        yield
    finally:
        counter[priority] -= 1


def _ahead(counter: Counter[Priority], priority: Priority) -> int:
    """Return how many of the pictures that were counted come before a new one, as turns go."""
    if not any(counter.values()):  # most often where every core is busy, and asked at the door
        return 0
    return sum(Turns().before(priority, counter[Priority.INTERACTIVE], counter[Priority.BULK]))


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
