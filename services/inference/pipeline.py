"""From a picture to its analysis: admit it, keep to its versions, send it on its way, count.

The classifier was trained on whole frames, so it needs no crop and does not wait for the
segmenter.
"""

import asyncio
import dataclasses

from services.inference import method
from services.inference.admission import Admission
from services.inference.analysis import Analysis, Findings, Timings, Wanted
from services.inference.contract import ClassifierContract, SegmenterContract
from services.inference.forecast import Forecast
from services.inference.judgement import Judged, Leased
from services.inference.metrics import Metrics
from services.inference.onnx_model import ModelOutputs
from services.inference.priority import WHENEVER, Priority, Request, Urgency
from services.inference.runners import Contender
from services.inference.shadow import Candidate, Shadows
from services.inference.slot import Slot
from services.inference.version import Contract, Version
from services.inference.ways import Way, Ways

EVERYTHING = Wanted()


class Pipeline:
    """Turns encoded pictures into analyses.

    Attributes:
        segmenter: the versions of the model that outlines the lesion.
        classifier: the versions of the model that predicts the label.
        admission: bounds what is in work, whoever asks for it.
        ways: on which pictures go.

    """

    def __init__(
        self,
        segmenter: Slot[SegmenterContract],
        classifier: Slot[ClassifierContract],
        shadows: Shadows,
        admission: Admission,
        ways: Ways,
        metrics: Metrics,
    ) -> None:
        """Join two models.

        Args:
            segmenter: outlines the lesion.
            classifier: predicts the label.
            shadows: compares what may answer one day with what answers now.
            admission: bounds the pictures in work.
            ways: on which pictures go from their bytes to what is found.
            metrics: what is observed.

        """
        self.segmenter = segmenter
        self.classifier = classifier
        self._shadows = shadows
        self.admission = admission
        self.ways = ways
        self._metrics = metrics

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
        way = self._way()
        with (
            self.admission.place(lambda: way.forecast(urgency.priority), urgency) as foretold,
            self.segmenter.lease(encoded) as segmenter,
            self.classifier.lease(encoded) as classifier,
        ):
            leased = Leased(segmenter, classifier)
            ours = dataclasses.replace(
                urgency, since=now, request=Request(), then_s=foretold.spare_s
            )
            with self._metrics.analysis_seconds.time():
                judged = await way.judge(encoded, leased, wanted, ours)
                analysis = _analysis(judged, leased, asyncio.get_running_loop().time() - now)
        self._count(judged.found)
        self._compare(leased, judged)
        return analysis

    def forecast(self, priority: Priority) -> Forecast:
        """Return what a picture that came now would wait and take, by the measured costs."""
        return self._way().forecast(priority)

    def coming(self, priority: Priority) -> dict[Contender, int]:
        """Return how many pictures are on their way to each stage, and will be there before.

        Args:
            priority: of whoever comes now.

        """
        return self.ways.staged.coming(priority)

    async def close(self) -> None:
        """Do what waits around the models, then stop; nothing more is compared."""
        await self._shadows.close()
        await self.ways.close()

    def _way(self) -> Way:
        return self.ways.beside(self.admission.in_work)

    def _compare(self, leased: Leased, judged: Judged) -> None:
        """Offer the shadows what has been answered."""
        if judged.outputs:
            segmented, classified = judged.outputs
            candidates = (
                _candidate(self.segmenter, leased.segmenter, segmented),
                _candidate(self.classifier, leased.classifier, classified),
            )
            self._shadows.offer(judged.decoded.view, [each for each in candidates if each])

    def _count(self, found: Findings) -> None:
        self._metrics.analyses("cannot_assess" if found.reasons else "assessed").inc()
        for reason in found.reasons:
            self._metrics.cannot_assess(reason).inc()


def _candidate(
    slot: Slot[Contract], answered: Version[Contract], output: ModelOutputs
) -> Candidate | None:
    """Return a model's shadow beside what the stable version answered, if it was that one."""
    shadow, stable = slot.lineup.shadow, slot.lineup.stable
    if shadow is None or answered is not stable:
        return None
    return Candidate(shadow.stage, output)


def _analysis(judged: Judged, leased: Leased, total_s: float) -> Analysis:
    """Say what was made of a picture, and by which models."""
    # Of a picture that no model saw, those that would have answered.
    both = (version.stage.model.provenance for version in (leased.segmenter, leased.classifier))
    models = tuple(output.provenance for output in judged.outputs) or tuple(both)
    decoded = judged.decoded
    timings = Timings(queue_s=judged.queue_s, run_s=judged.run_s, total_s=total_s)
    used = method.of(leased.classifier.contract)
    return Analysis(decoded.view, decoded.quality, judged.found, models, used, timings)
