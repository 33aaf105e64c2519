"""ONNX Runtime on processors: there is nothing that it cannot run, and what the others are
measured against.
"""  # noqa: D205

from collections.abc import Mapping

import onnxruntime as ort

from services.inference.backends.backend import CPU, BackendError, Identity, Ran, Tensor
from services.inference.backends.layout import Layout
from services.inference.model_file import ModelFile
from services.inference.signature import Signature, TensorSpec, UnservableTypeError

LONE = Layout()
"""One thread a run: what a loop that runs one picture after the other needs."""


class OnnxRuntimeCpu:
    """A file in one session.

    Attributes:
        identity: see ``Backend``.
        metadata: see ``Backend``.
        signature: see ``Backend``.
        on_device: see ``Backend``.

    """

    on_device = False

    def __init__(self, file: ModelFile, layout: Layout = LONE) -> None:
        """Open a file.

        Raises:
            BackendError: ONNX Runtime cannot load it.

        """
        session = opened(file, options(layout), [CPU])
        self.identity = Identity(CPU, file.precision, file.sha256, file.variant_of)
        self.metadata: Mapping[str, str] = session.get_modelmeta().custom_metadata_map
        self.signature = signed(file, session)
        self._session = session

    def run(self, batch: Tensor) -> Ran:
        """Run a batch."""
        return Ran(self._session.run(None, {self.signature.input.name: batch}), self.identity)


def opened(
    file: ModelFile, how: ort.SessionOptions, providers: list[str | tuple[str, dict[str, object]]]
) -> ort.InferenceSession:
    """Open a session.

    Raises:
        BackendError: ONNX Runtime cannot load the file.

    """
    try:
        # Left to itself it prints why a provider failed, and opens the file on another.
        return ort.InferenceSession(file.content, how, providers=providers, enable_fallback=0)
    except Exception as error:  # ONNX Runtime raises classes of its own making
        message = f"{file.path} cannot be loaded: {error}"
        raise BackendError(message) from error


def signed(file: ModelFile, session: ort.InferenceSession) -> Signature:
    """Return what goes into a session and what comes out.

    Raises:
        BackendError: a tensor is not made of numbers.

    """
    try:
        return Signature(
            input=TensorSpec.of(session.get_inputs()[0]),
            outputs=tuple(map(TensorSpec.of, session.get_outputs())),
        )
    except UnservableTypeError as error:
        message = f"{file.path} cannot be served: {error}"
        raise BackendError(message) from error


def options(layout: Layout) -> ort.SessionOptions:
    """Return a session's options for a layout of the cores."""
    chosen = ort.SessionOptions()
    chosen.intra_op_num_threads = layout.threads
    chosen.inter_op_num_threads = 1
    chosen.log_severity_level = 3
    # Threads that wait for work in a loop take the cores from whoever else has some: from other
    # runs, from decoding, and from the loop that hands answers out.
    chosen.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return chosen
