"""What a picture costs without a server: the floors that the services are measured against.

Two of them, and nothing else in their threads. The *bare loop* decodes a picture and runs both
models. The *whole answer* does all that the service does to answer: it also judges the
picture's quality, measures the lesion, draws both PNG files and writes the message. Both call
the very functions that the service calls, on models that the service's own composition loaded.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager

from prometheus_client import CollectorRegistry

from services import telemetry
from services.inference import findings, imaging, method, quality, servicer
from services.inference.analysis import Analysis, Timings, Wanted
from services.inference.contract import ClassifierContract
from services.inference.engine import engine
from services.inference.onnx_model import OnnxModel
from services.inference.settings import Settings

Road = Callable[[bytes], object]
"""Takes one picture all the way; blocks until it has arrived."""

_EVERYTHING = Wanted()
_UNTIMED = Timings(queue_s=0, run_s=0, total_s=0)


@contextmanager
def models(settings: Settings) -> Iterator[Sequence[OnnxModel]]:
    """Yield the segmenter and the classifier, on the backend that the service takes."""
    telemetry.configure_logging("benchmark", "WARNING")
    with asyncio.Runner() as runner:
        owned = AsyncExitStack()
        opening = owned.enter_async_context(engine(settings, CollectorRegistry()))
        pipeline = runner.run(opening)
        try:
            slots = (pipeline.segmenter, pipeline.classifier)
            yield [slot.lineup.stable.stage.model for slot in slots]
        finally:
            runner.run(owned.aclose())


def bare(segmenter: OnnxModel, classifier: OnnxModel) -> Road:
    """Return the loop that decodes and runs both models, and no more."""
    sizes = frozenset({segmenter.input_size, classifier.input_size})

    def road(encoded: bytes) -> object:
        view = imaging.view(encoded, sizes)
        return [model.run([view.tensors[model.input_size]]) for model in (segmenter, classifier)]

    return road


def whole(segmenter: OnnxModel, classifier: OnnxModel) -> Road:
    """Return the loop that makes a whole answer, up to the bytes that would go on the wire."""
    sizes = frozenset({segmenter.input_size, classifier.input_size})
    contract = ClassifierContract.of(classifier)
    made_by = (segmenter.provenance, classifier.provenance)

    def road(encoded: bytes) -> object:
        view = imaging.view(encoded, sizes)
        judged = quality.measure(view.kept, min(view.width, view.height))
        (segmented,) = segmenter.run([view.tensors[segmenter.input_size]])
        outlined = findings.outline(view, segmented, _EVERYTHING)
        (classified,) = classifier.run([view.tensors[classifier.input_size]])
        found = findings.conclude(view, outlined, classified, contract, _EVERYTHING)
        answer = servicer.message(
            Analysis(view, judged, found, made_by, method.of(contract), _UNTIMED)
        )
        return answer.SerializeToString()

    return road
