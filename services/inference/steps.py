"""The steps of imaging around the models: decode and conclude, each a stage of its own.

They share the threads, so that a picture that is nearly done does not wait behind pictures
that have only come, and bulk not before interactive: every step has the same line, with the
same deadlines and priorities, as a model.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TypeVar

from prometheus_client import Histogram

from services import picture
from services.inference import findings, imaging, quality
from services.inference.analysis import Findings, Wanted
from services.inference.contract import ClassifierContract
from services.inference.imaging import View
from services.inference.metrics import Metrics
from services.inference.observers import LineObserver
from services.inference.onnx_model import Outputs
from services.inference.quality import Quality
from services.inference.runners import Runners
from services.inference.spans import RowSpans
from services.inference.stage import Stage

_Row = TypeVar("_Row")
_Output = TypeVar("_Output")


@dataclass(frozen=True, slots=True)
class Encoded:
    """What ``decode`` begins from.

    Attributes:
        content: a JPEG or PNG file.
        sizes: heights and widths in pixels that the models of this request take.

    """

    content: bytes
    sizes: frozenset[int]


@dataclass(frozen=True, slots=True)
class Decoded:
    """A picture as the models need it."""

    view: View
    quality: Quality


@dataclass(frozen=True, slots=True)
class Answered:
    """What ``conclude`` begins from: a picture that both models have answered."""

    view: View
    segmented: Outputs
    classified: Outputs
    contract: ClassifierContract
    wanted: Wanted


class Steps:
    """Two stages that share runners and their threads.

    Attributes:
        decode: an ``Encoded`` to a ``Decoded``, or to the error that says what is wrong.
        conclude: a ``Answered`` to all that is found, measured and drawn.

    """

    def __init__(self, runners: Runners, threads: Executor, metrics: Metrics) -> None:
        """Build the steps.

        Args:
            runners: permits; those of the models where both work on the same cores.
            threads: as many threads.
            metrics: what is observed.

        """

        def decode(row: Encoded) -> Decoded | picture.PictureError:
            try:
                view = imaging.view(row.content, row.sizes)
            except picture.PictureError as error:  # the caller's fault, not the step's
                # Tracebacks, also of what caused it, keep their frames, and these the picture.
                error.__cause__ = error.__context__ = None
                return error.with_traceback(None)
            shorter_side = min(view.width, view.height)
            return Decoded(view, quality.measure(view.kept, shorter_side))

        def conclude(row: Answered) -> Findings:
            outlined = findings.outline(row.view, row.segmented, row.wanted)
            return findings.conclude(row.view, outlined, row.classified, row.contract, row.wanted)

        def stage(
            work: Callable[[_Row], _Output], seconds: Histogram, spans: RowSpans
        ) -> Stage[_Row, _Output]:
            observer = LineObserver(metrics, metrics.imaging_queue_seconds, seconds, spans)
            return Stage(_each(work), runners, threads, observer)

        self.decode = stage(decode, metrics.decode_seconds, RowSpans("decode", stage="decode"))
        self.conclude = stage(
            conclude, metrics.postprocess_seconds, RowSpans("postprocess", stage="conclude")
        )

    async def close(self) -> None:
        """Do what waits, then stop."""
        for step in (self.decode, self.conclude):
            await step.close()


def usable(outcome: _Output | picture.PictureError) -> _Output:
    """Return what came of a picture.

    Raises:
        picture.PictureError: it cannot be used as one.

    """
    if isinstance(outcome, picture.PictureError):
        try:
            raise outcome
        finally:
            del outcome  # an error keeps its frames, and this one it
    return outcome


def _each(work: Callable[[_Row], _Output]) -> Callable[[Sequence[_Row]], list[_Output]]:
    return lambda rows: [work(row) for row in rows]
