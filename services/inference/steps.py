"""The steps of imaging around the models: decode, outline, conclude; each a stage of its own.

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
from services.inference.findings import Outlined
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
class Segmented:
    """What ``outline`` begins from."""

    view: View
    outputs: Outputs
    wanted: Wanted


@dataclass(frozen=True, slots=True)
class Classified:
    """What ``conclude`` begins from."""

    view: View
    outlined: Outlined
    outputs: Outputs
    contract: ClassifierContract
    wanted: Wanted


class Steps:
    """Three stages that share the threads of imaging.

    Attributes:
        decode: an ``Encoded`` to a ``Decoded``, or to the error that says what is wrong.
        outline: a ``Segmented`` to the lesion, measured and drawn.
        conclude: a ``Classified`` to all that is found.

    """

    def __init__(self, runners: Runners, threads: Executor, metrics: Metrics) -> None:
        """Build the steps.

        Args:
            runners: permits, one for each core.
            threads: as many threads.
            metrics: what is observed.

        """

        def decode(row: Encoded) -> Decoded | picture.PictureError:
            try:
                view = imaging.view(row.content, row.sizes)
            except picture.PictureError as error:  # the caller's fault, not the step's
                return error
            shorter_side = min(view.width, view.height)
            return Decoded(view, quality.measure(view.kept, shorter_side))

        def outline(row: Segmented) -> Outlined:
            return findings.outline(row.view, row.outputs, row.wanted)

        def conclude(row: Classified) -> Findings:
            return findings.conclude(row.view, row.outlined, row.outputs, row.contract, row.wanted)

        def stage(
            work: Callable[[_Row], _Output], seconds: Histogram, spans: RowSpans
        ) -> Stage[_Row, _Output]:
            observer = LineObserver(metrics, metrics.imaging_queue_seconds, seconds, spans)
            return Stage(_each(work), runners, threads, observer)

        def after(step: str) -> tuple[Histogram, RowSpans]:
            return metrics.postprocess_seconds.labels(step), RowSpans("postprocess", stage=step)

        self.decode = stage(decode, metrics.decode_seconds, RowSpans("decode", stage="decode"))
        self.outline = stage(outline, *after("outline"))
        self.conclude = stage(conclude, *after("conclude"))

    async def close(self) -> None:
        """Do what waits, then stop."""
        for step in (self.decode, self.outline, self.conclude):
            await step.close()


def _each(work: Callable[[_Row], _Output]) -> Callable[[Sequence[_Row]], list[_Output]]:
    return lambda rows: [work(row) for row in rows]
