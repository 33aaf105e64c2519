"""What the way of one picture through the models begins with, and what it leads to."""

from dataclasses import dataclass

from services.inference.analysis import Findings
from services.inference.contract import ClassifierContract, SegmenterContract
from services.inference.onnx_model import ModelOutputs
from services.inference.steps import Decoded
from services.inference.version import Version


@dataclass(frozen=True, slots=True)
class Leased:
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
class Judged:
    """What was made of one picture.

    Attributes:
        found: what is said of it.
        decoded: the picture as it was judged.
        outputs: the segmenter's and the classifier's; none where the models were not asked.
        queue_s: seconds that it waited for the models.
        run_s: seconds that they ran.

    """

    found: Findings
    decoded: Decoded
    outputs: tuple[ModelOutputs, ModelOutputs] | tuple[()] = ()
    queue_s: float = 0.0
    run_s: float = 0.0
