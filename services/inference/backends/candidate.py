"""The ways to run a model that there are."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from services.inference.backends.backend import TENSORRT, Backend
from services.inference.backends.layout import Layout
from services.inference.backends.onnxruntime_cpu import OnnxRuntimeCpu
from services.inference.backends.onnxruntime_cuda import OnnxRuntimeCuda
from services.inference.backends.openvino import OpenVino
from services.inference.model_file import ModelFile, variant


@dataclass(frozen=True, slots=True)
class Candidate:
    """A runtime in a precision.

    Attributes:
        provider: as operators name it.
        precision: see ``Identity``.
        open: opens a file for a layout of the cores; raises ``BackendError``.
        rounds: whether it runs the model itself and rounds it to its precision.
        only_when_asked: whether it is not worth the time at boot to try it unasked: TensorRT
            builds its engines for minutes, OpenVINO in fp32 was nowhere the fastest.
        on_device: whether it needs a graphics card, and is not opened once that is lost.

    """

    provider: str
    precision: str
    open: Callable[[ModelFile, Layout], Backend]
    rounds: bool = False
    only_when_asked: bool = False
    on_device: bool = False

    def __str__(self) -> str:
        return f"{self.provider} {self.precision}"

    def file(self, model: ModelFile) -> ModelFile:
        """Return the file that it runs.

        Raises:
            ModelError: the model has no such variant, or it must not be used.

        """
        own = self.rounds or self.precision == model.precision
        return model if own else variant(model, self.precision)


REFERENCE = Candidate("cpu", "fp32", OnnxRuntimeCpu)
"""The published model as it is, in the runtime that it was evaluated in."""

_TENSORRT = partial(OnnxRuntimeCuda, provider=TENSORRT)

CANDIDATES = (
    REFERENCE,
    Candidate("cpu", "int8", OnnxRuntimeCpu),
    Candidate("openvino", "fp32", partial(OpenVino, precision="fp32"), only_when_asked=True),
    Candidate("openvino", "int8", partial(OpenVino, precision="int8")),
    Candidate("openvino", "bf16", partial(OpenVino, precision="bf16"), rounds=True),
    Candidate("cuda", "fp32", OnnxRuntimeCuda, on_device=True),
    Candidate("cuda", "fp16", OnnxRuntimeCuda, on_device=True),
    Candidate("tensorrt", "fp32", _TENSORRT, only_when_asked=True, on_device=True),
    Candidate("tensorrt", "fp16", _TENSORRT, only_when_asked=True, on_device=True),
)
"""All of them, the simplest first."""
