"""What a model must promise before it may answer: read once, from its own metadata."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from services.inference.analysis import LABELS
from services.inference.imaging import RESIZE
from services.inference.model_file import ModelError
from services.inference.onnx_model import OnnxModel, Outputs

_ROUNDING = 1e-2
"""Probabilities in half precision or eight bits sum to 1 within less than this."""


@dataclass(frozen=True, slots=True)
class SegmenterContract:
    """Promises of a segmenter: one output ``mask``, S x S x 1, 0..1."""

    input_size: int

    @classmethod
    def of(cls, model: OnnxModel) -> "SegmenterContract":
        """Read the promises.

        Raises:
            ModelError: the model breaks or lacks one.

        """
        _require_outputs(model, "mask")
        _require_metadata(model)
        return cls(model.input_size)

    def require(self, outputs: Outputs) -> None:
        """Look whether what it answers to a picture is what it promises.

        Raises:
            ModelError: it is not.

        """
        _require_shape("segmenter", outputs, "mask", (self.input_size, self.input_size, 1))


@dataclass(frozen=True, slots=True)
class ClassifierContract:
    """Promises of a classifier: ``probabilities`` (7) and ``explanation`` (h x w x 7).

    Attributes:
        input_size: height and width of its input, in pixels.
        suspicious_threshold: malignant probability from which a lesion is suspicious.
        novelty_threshold: value of the output ``novelty`` above which a picture is unlike
            those of training; None when the model cannot tell.

    """

    input_size: int
    suspicious_threshold: float
    novelty_threshold: float | None

    @classmethod
    def of(cls, model: OnnxModel) -> "ClassifierContract":
        """Read the promises.

        Raises:
            ModelError: the model breaks or lacks one.

        """
        _require_outputs(model, "probabilities", "explanation")
        _require_metadata(model)
        labels = tuple(model.setting("labels", list))
        if labels != LABELS:
            message = f"the classifier answers {labels} instead of {LABELS}"
            raise ModelError(message)
        novelty = model.setting("novelty_threshold", float) if "novelty" in model.outputs else None
        return cls(
            input_size=model.input_size,
            suspicious_threshold=model.setting("suspicious_threshold", float),
            novelty_threshold=novelty,
        )

    def require(self, outputs: Outputs) -> None:
        """Look whether what it answers to a picture is what it promises.

        Raises:
            ModelError: it is not.

        """
        labels = len(LABELS)
        _require_shape("classifier", outputs, "probabilities", (labels,))
        _require_shape(
            "classifier", outputs, "explanation", (*outputs["explanation"].shape[:2], labels)
        )
        total = float(outputs["probabilities"].sum())
        if abs(total - 1) > _ROUNDING:
            message = f"the classifier's probabilities sum to {total:.3f} instead of 1"
            raise ModelError(message)


CONTRACTS: Mapping[str, Callable[[OnnxModel], SegmenterContract | ClassifierContract]] = {
    "segmenter": SegmenterContract.of,
    "classifier": ClassifierContract.of,
}
"""Reads what a model promises, by its name."""


def try_out(model: OnnxModel, contract: SegmenterContract | ClassifierContract) -> None:
    """Run a model on a blank picture, and look whether it keeps what it promises.

    Raises:
        ModelError: it does not, or fails.

    """
    blank = np.zeros((contract.input_size, contract.input_size, 3), np.uint8)
    contract.require(model.run([blank])[0])


def _require_outputs(model: OnnxModel, *names: str) -> None:
    missing = [name for name in names if name not in model.outputs]
    if missing:
        message = f"the {model.provenance.name} lacks the output {', '.join(missing)}"
        raise ModelError(message)


def _require_metadata(model: OnnxModel) -> None:
    model.setting("metrics", dict)
    found = model.metadata.get("resize")
    if found != RESIZE:
        message = f"the {model.provenance.name} was trained on {found}, not on {RESIZE}"
        raise ModelError(message)


def _require_shape(name: str, outputs: Outputs, output: str, shape: tuple[int, ...]) -> None:
    found = outputs[output].shape
    if found != shape:
        message = f"the {name} answers a {output} of shape {found} instead of {shape}"
        raise ModelError(message)
