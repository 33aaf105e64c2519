"""Loops that run batches of a model and nothing else, in ONNX Runtime's session or in PyTorch."""

import importlib.util
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime as ort

from services.inference.backends import onnxruntime_cuda
from services.inference.backends.backend import CPU
from services.inference.model_file import ModelFile

Batch = npt.NDArray[np.uint8]
Loop = Callable[[Batch], object]
"""Runs a batch, N x S x S x 3, and returns once its results are in the host's memory."""

_FOR_PYTORCH = ("torch", "onnx2torch")


class NotHereError(Exception):
    """There is no such loop on this machine; the message says why."""


def in_onnxruntime(file: ModelFile, provider: str) -> Loop:
    """Open a session as ONNX Runtime's documentation does, with what the service asks of a card.

    In CUDA the one has no fewer bits a number than the other, which left to itself rounds to TF32.
    TensorRT rounds so wherever it runs, here as in the service: ONNX Runtime has no switch for it.

    Args:
        file: what to run.
        provider: what it must run on.

    Raises:
        NotHereError: ONNX Runtime has no such provider, or it does not work here.

    """
    if provider not in ort.get_available_providers():
        raise NotHereError(f"this build of ONNX Runtime has no {provider}")
    options = ort.SessionOptions()
    if provider == CPU:
        options.intra_op_num_threads = 1  # as the service has it: one run a core
    wanted = [CPU] if provider == CPU else onnxruntime_cuda.providers(provider)
    session = ort.InferenceSession(file.content, options, providers=wanted)
    # A build with a provider lists it wherever it runs; only the session knows the truth.
    if session.get_providers()[0] != provider:
        raise NotHereError(f"{provider} does not work here")
    name = session.get_inputs()[0].name
    return lambda batch: session.run(None, {name: batch})


def in_pytorch(file: ModelFile, provider: str) -> Loop:
    """Convert a model and run it in PyTorch, which this project does without.

    Args:
        file: what to run.
        provider: of ONNX Runtime, beside which it runs: on a card too, or on the CPU as well.

    Raises:
        NotHereError: PyTorch or onnx2torch is not installed, PyTorch finds no card, or the model
            cannot be converted.

    """
    for package in _FOR_PYTORCH:
        if importlib.util.find_spec(package) is None:
            raise NotHereError(f"{package} is not installed")
    import onnx2torch  # type: ignore[import-not-found] # noqa: PLC0415 - for who has it
    import torch  # type: ignore[import-not-found] # noqa: PLC0415 - the same

    torch.set_num_threads(1)
    torch.backends.cudnn.benchmark = True  # all shapes are warmed
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    where = "cpu" if provider == CPU else "cuda"
    if where == "cuda" and not torch.cuda.is_available():
        raise NotHereError("torch finds no card")
    try:
        module = onnx2torch.convert(onnx.load_model_from_string(file.content)).eval().to(where)
    except Exception as error:  # converters raise classes of their own making
        message = f"onnx2torch cannot convert {file.path.parent.parent.name}: {error}"
        raise NotHereError(message) from error

    def run(batch: Batch) -> object:
        with torch.inference_mode():
            return [result.cpu() for result in module(torch.from_numpy(batch).to(where))]

    return run
