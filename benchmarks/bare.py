"""Loops that run batches of a model and nothing else, in ONNX Runtime's session or in PyTorch."""

import importlib.util
import os
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime as ort

from services.inference.backends import onnxruntime_cuda
from services.inference.backends.backend import CPU, CUDA, TENSORRT
from services.inference.model_file import ModelFile

Batch = npt.NDArray[np.uint8]
Loop = Callable[[Batch], object]
"""Runs a batch, N x S x S x 3, and returns once its results are in the host's memory."""

IN_FULL = {"NVIDIA_TF32_OVERRIDE": "0", "ORT_TENSORRT_ENGINE_CACHE_ENABLE": "0"}
"""What the environment must say before NVIDIA's libraries are loaded, so that no road has fewer
bits a number than another. TensorRT rounds to TF32 where it is left to itself, ONNX Runtime has no
option against that, and an engine out of a cache has what it was built with."""

_FOR_PYTORCH = ("torch", "onnx2torch")


class NotHereError(Exception):
    """There is no such loop on this machine; the message says why."""


def in_onnxruntime(file: ModelFile, provider: str) -> Loop:
    """Open a session as ONNX Runtime's documentation does, with what the service asks of a card.

    The one has no fewer bits a number than the other: left to themselves, CUDA and TensorRT round
    to TF32. The service keeps CUDA from it; for TensorRT see ``IN_FULL``.

    Args:
        file: what to run.
        provider: what it must run on.

    Raises:
        NotHereError: ONNX Runtime has no such provider, it does not work here, or it might round.

    """
    if provider not in ort.get_available_providers():
        raise NotHereError(f"this build of ONNX Runtime has no {provider}")
    if provider == TENSORRT and not IN_FULL.items() <= os.environ.items():
        said = " ".join(f"{name}={value}" for name, value in IN_FULL.items())
        raise NotHereError(f"it might round to TF32 without {said} in the environment")
    options = ort.SessionOptions()
    if provider == CPU:
        options.intra_op_num_threads = 1  # as the service has it: one run a core
    wanted = [CPU] if provider == CPU else onnxruntime_cuda.providers(provider, file.precision)
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
        provider: what runs it in ONNX Runtime beside this; PyTorch must run it there too.

    Raises:
        NotHereError: PyTorch or onnx2torch is not installed, or PyTorch has no such hardware.
        Exception: of their own making, where they cannot be loaded or the model not converted.

    """
    for package in _FOR_PYTORCH:
        if importlib.util.find_spec(package) is None:
            raise NotHereError(f"{package} is not installed")
    return _converted(file, "cuda" if provider == CUDA else "cpu")


def reason(error: Exception) -> str:
    """Return in one line why there is no such loop; runtimes say a lot, and some nothing."""
    if isinstance(error, NotHereError):
        return str(error)
    return f"{type(error).__name__}: {error}".splitlines()[0]


def _converted(file: ModelFile, where: str) -> Loop:
    import onnx2torch  # type: ignore[import-not-found] # noqa: PLC0415 - for who has it
    import torch  # type: ignore[import-not-found] # noqa: PLC0415 - the same

    if where == "cuda" and not torch.cuda.is_available():
        raise NotHereError("this PyTorch has no CUDA that works here")
    torch.set_num_threads(1)
    torch.backends.cudnn.benchmark = True  # all shapes are warmed
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    module = onnx2torch.convert(onnx.load_model_from_string(file.content)).eval().to(where)

    def run(batch: Batch) -> object:
        with torch.inference_mode():
            answered: Any = module(torch.from_numpy(batch).to(where))
            # What has a single output answers with that, and not with a list of one.
            results = [answered] if isinstance(answered, torch.Tensor) else answered
            return [result.cpu() for result in results]

    return run
