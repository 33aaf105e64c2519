"""Page-locked memory of the host, which a graphics card copies from by itself.

ONNX Runtime has such memory, but gives Python none of it: the devices that it lists are those of
plugins, and its own CUDA is none. So the CUDA that it runs on is asked, by its documented C calls
(https://docs.nvidia.com/cuda/cuda-runtime-api/group__CUDART__MEMORY.html).
"""

import ctypes
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime as ort

from services.inference.backends.backend import Tensor

_PORTABLE = 1
"""``cudaHostAllocPortable``: locked for every context, not only for the calling thread's."""

Allocate = Callable[[Tensor], Tensor | None]
"""Returns memory for an array of this shape and type, or None where there is none to be had."""


def of_the_runtime() -> Allocate | None:
    """Return what allocates from the CUDA that ONNX Runtime was built for; None without it."""
    major = str(getattr(ort, "cuda_version", "")).partition(".")[0]
    try:
        return of(ctypes.CDLL(f"libcudart.so.{major}"))
    except OSError:
        return None


def of(cuda: Any) -> Allocate:
    """Return what allocates from a library.

    Args:
        cuda: has ``cudaHostAlloc`` and ``cudaFreeHost``.

    """

    def allocate(like: Tensor) -> Tensor | None:
        address = ctypes.c_void_p()
        size, flags = ctypes.c_size_t(like.nbytes), ctypes.c_uint(_PORTABLE)
        if cuda.cudaHostAlloc(ctypes.byref(address), size, flags) or not address.value:
            return None
        memory = (ctypes.c_ubyte * like.nbytes).from_address(address.value)
        # Arrays on it keep it; what is locked is given back when the last of them goes.
        weakref.finalize(memory, cuda.cudaFreeHost, address).atexit = False
        return np.frombuffer(memoryview(memory), like.dtype).reshape(like.shape)

    return allocate
