"""OpenVINO on processors: the only runtime here that uses their bf16 units.

It is called directly and not through its plugin for ONNX Runtime, which refuses processors of
other makers than Intel (https://github.com/microsoft/onnxruntime/pull/31981).
"""

import importlib.util
import threading
from collections.abc import Mapping
from typing import Any

from services.inference.backends.backend import OPENVINO, BackendError, Identity, Ran, Tensor
from services.inference.backends.layout import Layout
from services.inference.model_file import ModelFile
from services.inference.signature import VARIES, Signature, TensorSpec

_HINTS = {"fp32": "f32", "int8": "f32", "bf16": "bf16"}
"""What a model's floats are computed in. Beside integers they stay exact: nobody has judged
what two roundings in one model do.
"""


class OpenVino:
    """A file compiled for the processor.

    Attributes:
        identity: see ``Backend``.
        metadata: see ``Backend``.
        signature: see ``Backend``.
        on_device: see ``Backend``.

    """

    on_device = False

    def __init__(self, file: ModelFile, layout: Layout, precision: str) -> None:
        """Compile a file.

        Args:
            file: what to run.
            layout: of the cores.
            precision: the file's, or ``"bf16"`` to round the floats of an fp32 file.

        Raises:
            BackendError: OpenVINO is not installed, the processor has no bf16 units, or the
                file cannot be compiled.

        """
        if importlib.util.find_spec("openvino") is None:
            raise BackendError("OpenVINO is not installed")
        import openvino  # noqa: PLC0415 - half a second and 80 MiB, for who has it

        core = openvino.Core()
        if precision == "bf16" and "BF16" not in core.get_property(
            "CPU", "OPTIMIZATION_CAPABILITIES"
        ):
            raise BackendError("this processor does not compute in bf16")
        try:
            model = core.read_model(file.content)
            self._compiled = core.compile_model(model, "CPU", _options(layout, precision))
        except RuntimeError as error:
            message = f"{file.path} cannot be compiled: {error}"
            raise BackendError(message) from error
        self.identity = Identity(OPENVINO, precision, file.sha256, file.variant_of)
        self.metadata: Mapping[str, str] = dict(model.get_rt_info("framework").value)
        self.signature = Signature(
            input=_spec(self._compiled.inputs[0]),
            outputs=tuple(map(_spec, self._compiled.outputs)),
        )
        self._own = threading.local()

    def run(self, batch: Tensor) -> Ran:
        """Run a batch."""
        if not hasattr(self._own, "request"):  # one for each thread that runs
            self._own.request = self._compiled.create_infer_request()
        # Shared is the caller's memory, which outlives the run; the results are copies.
        results = self._own.request.infer([batch], share_inputs=True)
        return Ran([results[output] for output in self._compiled.outputs], self.identity)


def _spec(port: Any) -> TensorSpec:
    _, *row = port.get_partial_shape()
    shape = tuple(size.get_length() if size.is_static else VARIES for size in row)
    return TensorSpec(port.get_any_name(), port.get_element_type().to_dtype(), shape)


def _options(layout: Layout, precision: str) -> dict[str, Any]:
    return {
        "INFERENCE_PRECISION_HINT": _HINTS[precision],
        "NUM_STREAMS": layout.runs,
        "INFERENCE_NUM_THREADS": layout.runs * layout.threads,
        # Two models pinned to the same cores would wait for each other while others idle.
        "ENABLE_CPU_PINNING": False,
    }
