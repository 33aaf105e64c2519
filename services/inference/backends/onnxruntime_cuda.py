"""ONNX Runtime on an NVIDIA graphics card, its inputs and outputs bound to memory of the card.

Bound, a batch crosses the bus once in and once out; unbound, every run allocates anew. The
input goes through page-locked memory where the runtime can give some, because a card copies
from there by itself (https://onnxruntime.ai/docs/performance/tune-performance/iobinding.html).
"""

from collections import defaultdict
from collections.abc import Mapping

import numpy as np
import onnxruntime as ort

from services.inference.backends.backend import CPU, CUDA, BackendError, Identity, Ran, Tensor
from services.inference.backends.layout import Layout
from services.inference.backends.onnxruntime_cpu import opened, options, signed
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
        self._bindings = Bindings(session, "cuda")

    def run(self, batch: Tensor) -> Ran:
        """Run a batch."""
        return Ran(self._bindings.run(batch), self.identity)


class Bindings:
    """Memory of a device for each shape of batch; runs at the same time have their own."""

    def __init__(self, session: ort.InferenceSession, device: str) -> None:
        """Bind nothing yet.

        Args:
            session: what runs.
            device: where its inputs and outputs lie, ``"cuda"`` or ``"cpu"``.

        """
        self._session = session
        self._device = device
        self._spare: defaultdict[tuple[int, ...], list[_Binding]] = defaultdict(list)

    def run(self, batch: Tensor) -> list[Tensor]:
        """Run a batch and return its results in the host's memory."""
        spare = self._spare[batch.shape]
        binding = spare.pop() if spare else _Binding(self._session, batch, self._device)
        results = binding.run(batch)
        spare.append(binding)  # one whose run failed is not used again
        return results


class _Binding:
    def __init__(self, session: ort.InferenceSession, like: Tensor, device: str) -> None:
        self._session = session
        self._bound = session.io_binding()
        self._input = ort.OrtValue.ortvalue_from_shape_and_type(like.shape, like.dtype, device)
        self._staging = _page_locked(like) if device != "cpu" else None
        self._bound.bind_ortvalue_input(session.get_inputs()[0].name, self._input)
        for output in session.get_outputs():
            self._bound.bind_output(output.name, device)

    def run(self, batch: Tensor) -> list[Tensor]:
        if self._staging is None:
            self._input.update_inplace(np.ascontiguousarray(batch))
        else:
            np.copyto(self._staging.numpy(), batch)
            self._input.update_inplace(self._staging)
        self._session.run_with_iobinding(self._bound)
        results: list[Tensor] = self._bound.copy_outputs_to_cpu()
        return results


def providers(first: str = CUDA) -> list[str | tuple[str, dict[str, object]]]:
    """Return what a session on a card is opened with; who comes later does what the first cannot.

    Args:
        first: CUDA, or another that shares its memory.

    """
    wanted: list[str | tuple[str, dict[str, object]]] = [(CUDA, _OPTIONS), CPU]
    return wanted if first == CUDA else [first, *wanted]


def _on_card(file: ModelFile, layout: Layout, provider: str) -> ort.InferenceSession:
    if provider not in ort.get_available_providers():
        message = f"this build of ONNX Runtime has no {provider}"
        raise BackendError(message)
    # CUDA and cuDNN come from wheels, where the dynamic linker would not look for them.
    ort.preload_dlls()
    session = opened(file, options(layout), providers(provider))
    # A build with CUDA lists it wherever it runs; only the session knows the truth.
    if session.get_providers()[0] != provider:
        message = f"{provider} does not work here"
        raise BackendError(message)
    return session


def _page_locked(like: Tensor) -> ort.OrtValue | None:
    """Return page-locked memory of the host that the card can copy from; None without any."""
    for device in ort.get_ep_devices():
        if device.ep_name == CUDA:
            memory = device.memory_info(ort.OrtDeviceMemoryType.HOST_ACCESSIBLE)
            if memory is not None:
                return ort.OrtValue.ortvalue_from_shape_and_type(
                    like.shape, like.dtype, memory_info=memory
                )
    return None
