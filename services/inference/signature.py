"""What goes into a model and what comes out: the names, types and shapes of its tensors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

_DTYPES = {
    "tensor(bool)": np.dtype(np.bool_),
    "tensor(uint8)": np.dtype(np.uint8),
    "tensor(uint16)": np.dtype(np.uint16),
    "tensor(uint32)": np.dtype(np.uint32),
    "tensor(uint64)": np.dtype(np.uint64),
    "tensor(int8)": np.dtype(np.int8),
    "tensor(int16)": np.dtype(np.int16),
    "tensor(int32)": np.dtype(np.int32),
    "tensor(int64)": np.dtype(np.int64),
    "tensor(float16)": np.dtype(np.float16),
    "tensor(float)": np.dtype(np.float32),
    "tensor(double)": np.dtype(np.float64),
}
"""ONNX Runtime's names of the types that models can be served with."""

VARIES = -1
"""A size that differs from call to call."""


class UnservableTypeError(Exception):
    """A tensor has a type that no client could send or read."""


class _NodeArg(Protocol):
    """How ONNX Runtime describes a tensor; sizes that vary have a name or None."""

    name: str
    type: str
    shape: Sequence[int | str | None]


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One tensor of a model.

    Attributes:
        name: as in the ONNX file.
        dtype: of its elements.
        shape: of one row, that is, without the number of rows; ``VARIES`` where a size does.

    """

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    @classmethod
    def of(cls, node: _NodeArg) -> "TensorSpec":
        """Read what ONNX Runtime says of a tensor.

        Raises:
            UnservableTypeError: it is not made of numbers or truth values.

        """
        if node.type not in _DTYPES:
            raise UnservableTypeError(f"{node.name} is a {node.type}, which cannot be served")
        sizes = (size if isinstance(size, int) else VARIES for size in node.shape[1:])
        return cls(node.name, _DTYPES[node.type], tuple(sizes))


@dataclass(frozen=True, slots=True)
class Signature:
    """The tensors of a model; the first dimension of each is the number of rows.

    Attributes:
        input: the one that goes in.
        outputs: those that come out, in the file's order.

    """

    input: TensorSpec
    outputs: tuple[TensorSpec, ...]
