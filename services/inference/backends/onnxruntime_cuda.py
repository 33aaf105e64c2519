"""ONNX Runtime on an NVIDIA graphics card, its inputs and outputs bound to memory of the card.

Bound, a batch crosses the bus once in and once out; unbound, every run allocates anew
(https://onnxruntime.ai/docs/performance/tune-performance/iobinding.html). The input goes through
page-locked memory where there is some, because a card copies from there by itself.
"""

import contextlib
import io
from collections import defaultdict
from collections.abc import Mapping

import numpy as np
import onnxruntime as ort

from services.inference.backends import page_locked
from services.inference.backends.backend import (
    CPU,
    CUDA,
    TENSORRT,
    BackendError,
    Identity,
    Ran,
    Tensor,
)
from services.inference.backends.layout import Layout
from services.inference.backends.onnxruntime_cpu import opened, options, signed
from services.inference.backends.page_locked import Allocate
from services.inference.model_file import ModelFile

_OPTIONS: dict[str, object] = {
    "use_tf32": "0",  # fp32 is to mean fp32; who wants speed has fp16
    "cudnn_conv_algo_search": "EXHAUSTIVE",  # all shapes are warmed before anybody waits
}


class OnnxRuntimeCuda:
    """A file in one session on the first graphics card.

    Attributes:
        identity: see ``Backend``.
        metadata: see ``Backend``.
        signature: see ``Backend``.
        on_device: see ``Backend``.

    """

    on_device = True

    def __init__(self, file: ModelFile, layout: Layout, provider: str = CUDA) -> None:
        """Open a file.

        Args:
            file: what to run.
            layout: of the cores, for what the card cannot do.
            provider: CUDA, or another that shares its memory.

        Raises:
            BackendError: there is no such card, or it does not work here.

        """
        session = _on_card(file, layout, provider)
        self.identity = Identity(provider, file.precision, file.sha256, file.variant_of)
        self.metadata: Mapping[str, str] = session.get_modelmeta().custom_metadata_map
        self.signature = signed(file, session)
        self._bindings = Bindings(session, "cuda", page_locked.of_the_runtime())

    def run(self, batch: Tensor) -> Ran:
        """Run a batch."""
        return Ran(self._bindings.run(batch), self.identity)


class Bindings:
    """Memory of a device for each shape of batch; runs at the same time have their own."""

    def __init__(
        self, session: ort.InferenceSession, device: str, allocate: Allocate | None = None
    ) -> None:
        """Bind nothing yet.

        Args:
            session: what runs.
            device: where its inputs and outputs lie, ``"cuda"`` or ``"cpu"``.
            allocate: gives what inputs are copied from; unless told, they are copied as they come.

        """
        self._session = session
        self._device = device
        self._allocate = allocate
        self._spare: defaultdict[tuple[int, ...], list[_Binding]] = defaultdict(list)

    def run(self, batch: Tensor) -> list[Tensor]:
        """Run a batch and return its results in the host's memory."""
        spare = self._spare[batch.shape]
        binding = spare.pop() if spare else self._bound(batch)
        results = binding.run(batch)
        spare.append(binding)  # one whose run failed is not used again
        return results

    def _bound(self, like: Tensor) -> "_Binding":
        return _Binding(self._session, like, self._device, self._allocate and self._allocate(like))


class _Binding:
    def __init__(
        self, session: ort.InferenceSession, like: Tensor, device: str, staging: Tensor | None
    ) -> None:
        self._session = session
        self._bound = session.io_binding()
        self._input = ort.OrtValue.ortvalue_from_shape_and_type(like.shape, like.dtype, device)
        self._staging = staging
        self._bound.bind_ortvalue_input(session.get_inputs()[0].name, self._input)
        for output in session.get_outputs():
            self._bound.bind_output(output.name, device)

    def run(self, batch: Tensor) -> list[Tensor]:
        if self._staging is None:
            self._input.update_inplace(np.ascontiguousarray(batch))
        else:
            np.copyto(self._staging, batch)
            self._input.update_inplace(self._staging)
        self._session.run_with_iobinding(self._bound)
        results: list[Tensor] = self._bound.copy_outputs_to_cpu()
        return results


def providers(
    first: str = CUDA, precision: str = "fp32"
) -> list[str | tuple[str, dict[str, object]]]:
    """Return what a session on a card is opened with; who comes later does what the first cannot.

    Args:
        first: CUDA, or another that shares its memory.
        precision: of the file, see ``Identity``.

    """
    wanted: list[str | tuple[str, dict[str, object]]] = [(CUDA, _OPTIONS), CPU]
    if first == CUDA:
        return wanted
    # TensorRT may build no engine of a file in half precision unless that is allowed.
    halves = first == TENSORRT and precision == "fp16"
    return [(first, {"trt_fp16_enable": "True"}) if halves else first, *wanted]


def _on_card(file: ModelFile, layout: Layout, provider: str) -> ort.InferenceSession:
    if provider not in ort.get_available_providers():
        message = f"this build of ONNX Runtime has no {provider}"
        raise BackendError(message)
    missing = _preloaded()
    session = opened(file, options(layout), providers(provider, file.precision))
    # A build with CUDA lists it wherever it runs; only the session knows the truth.
    if session.get_providers()[0] != provider:
        message = f"{provider} does not work here" + (f" ({missing})" if missing else "")
        raise BackendError(message)
    return session


def _preloaded() -> str:
    """Load CUDA and cuDNN from their wheels, where the dynamic linker would not look for them.

    Returns:
        What could not be loaded: ONNX Runtime prints it, which is no line of our log.

    """
    with contextlib.redirect_stdout(io.StringIO()) as said:
        ort.preload_dlls()
    return "; ".join(line for line in said.getvalue().splitlines() if line.startswith("Failed"))
