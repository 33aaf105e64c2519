"""What every backend promises."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy.typing as npt

from services.inference.model_file import ModelError
from services.inference.signature import Signature

Tensor = npt.NDArray[Any]

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
TENSORRT = "TensorrtExecutionProvider"
OPENVINO = "OpenVINO"


class BackendError(ModelError):
    """A backend is not there, or cannot open a file."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What makes the numbers.

    Attributes:
        execution_provider: as ONNX Runtime names it, or ``"OpenVINO"``.
        precision: that the body of the model is computed in: ``"fp32"``, ``"bf16"``,
            ``"fp16"`` or ``"int8"``.
        sha256: of the file that runs, lower-case hexadecimal.
        variant_of: SHA-256 of the model that the file is a variant of; empty for the model.

    """

    execution_provider: str
    precision: str
    sha256: str
    variant_of: str = ""


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a batch.

    Attributes:
        results: one array an output, its first dimension the batch.
        by: what really ran it.

    """

    results: Sequence[Tensor]
    by: Identity


def named(backend: "Backend", ran: Ran) -> dict[str, Tensor]:
    """Return the results of a run by the names of the outputs."""
    return {
        output.name: result
        for output, result in zip(backend.signature.outputs, ran.results, strict=True)
    }


class Backend(Protocol):
    """A model file in a runtime. Safe to run from several threads at once."""

    @property
    def identity(self) -> Identity:
        """What would make the numbers of a batch that came now."""

    @property
    def metadata(self) -> Mapping[str, str]:
        """What the file says of itself."""

    @property
    def signature(self) -> Signature:
        """What goes in and what comes out, in the order of the results."""

    @property
    def on_device(self) -> bool:
        """Whether batches pay and the first of each shape is slow, as on a graphics card.

        It tells of a batch that came now: a card that is given up is one no more.
        """

    def run(self, batch: Tensor) -> Ran:
        """Run a batch: uint8, N x S x S x 3, RGB.

        Raises:
            Exception: of the runtime's own making.

        """
