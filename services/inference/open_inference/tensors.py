"""Tensors in the messages of the Open Inference Protocol, and what is wrong with them."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from services.inference.refusal import InvalidRequestError
from services.inference.signature import VARIES, Signature, TensorSpec
from services.pb import open_inference_pb2 as pb

Tensor = npt.NDArray[Any]

_SHOWN = 8
"""What is wrong is shown to the caller, but not all of what may be a million names or sizes."""


@dataclass(frozen=True, slots=True)
class Datatype:
    """What the protocol calls a type, and where a message keeps its elements.

    Attributes:
        name: for example ``"UINT8"``; with ``TYPE_`` before it, Triton's configuration's name.
        field: of ``InferTensorContents``; None where elements can only be sent raw.
        carrier: type of that field's elements, which may be wider.

    """

    name: str
    field: str | None
    carrier: np.dtype[Any]


_DATATYPES = {
    np.dtype(dtype): Datatype(name, field, np.dtype(carrier))
    for dtype, name, field, carrier in (
        (np.bool_, "BOOL", "bool_contents", np.bool_),
        (np.uint8, "UINT8", "uint_contents", np.uint32),
        (np.uint16, "UINT16", "uint_contents", np.uint32),
        (np.uint32, "UINT32", "uint_contents", np.uint32),
        (np.uint64, "UINT64", "uint64_contents", np.uint64),
        (np.int8, "INT8", "int_contents", np.int32),
        (np.int16, "INT16", "int_contents", np.int32),
        (np.int32, "INT32", "int_contents", np.int32),
        (np.int64, "INT64", "int64_contents", np.int64),
        (np.float16, "FP16", None, np.float16),
        (np.float32, "FP32", "fp32_contents", np.float32),
        (np.float64, "FP64", "fp64_contents", np.float64),
    )
}

_TYPED = {kind.field for kind in _DATATYPES.values()}

_SAMPLED = 4096
"""So many elements tell a picture from others."""


def datatype(spec: TensorSpec) -> Datatype:
    """Return what the protocol calls a tensor's type."""
    return _DATATYPES[spec.dtype]


def fingerprint(request: pb.ModelInferRequest) -> bytes:
    """Return what tells a request's tensor from others, at the same cost whatever its size.

    The elements that count are spread over the tensor: the edges of many pictures are black.
    Nothing of the request needs to be right yet.
    """
    elements = _unchecked(request)
    step = max(1, -(-len(elements) // _SAMPLED)) | 1  # an odd step meets all three colors
    return hashlib.blake2b(repr(list(elements[::step])).encode()).digest()


def check(request: pb.ModelInferRequest, signature: Signature, most: int) -> None:
    """Check what a request says of its input, before a single element is looked at.

    Args:
        request: what came.
        signature: of the model.
        most: rows that one request may have.

    Raises:
        InvalidRequestError: another name, type or shape, or not the number of inputs or contents.

    """
    spec = signature.input
    if [sent.name for sent in request.inputs[:2]] != [spec.name]:
        came = _listed(sent.name for sent in request.inputs[:_SHOWN])
        raise InvalidRequestError(f"the model takes one input, {spec.name}; {came} came")
    (sent,) = request.inputs
    if sent.datatype != datatype(spec).name:
        wanted = datatype(spec).name
        raise InvalidRequestError(
            f"input {spec.name} is {wanted}; {sent.datatype or 'no datatype'} came"
        )
    if not _fits(sent.shape, spec.shape) or not 1 <= sent.shape[0] <= most:
        raise InvalidRequestError(
            f"input {spec.name} has the shape {[VARIES, *spec.shape]} with 1 to {most} rows; "
            f"{list(sent.shape[:_SHOWN])} came"
        )


def read(request: pb.ModelInferRequest, spec: TensorSpec) -> Tensor:
    """Take the input out of a request that ``check`` has let pass.

    Returns:
        Of the type of ``spec``, with the number of rows before its shape. It may be a read-only
        view of the message.

    Raises:
        InvalidRequestError: the elements are missing, twice there, too few or too many, out of
            range, or no numbers.

    """
    (sent,) = request.inputs
    shape = list(sent.shape)
    if not request.raw_input_contents:
        elements = _typed(sent.contents, spec, prod(shape))
    elif sent.HasField("contents"):
        raise InvalidRequestError(
            f"input {spec.name} came both in contents and in raw_input_contents"
        )
    else:
        elements = _raw(request.raw_input_contents, spec, prod(shape))
    if elements.dtype.kind == "f" and not np.isfinite(elements).all():
        raise InvalidRequestError(f"input {spec.name} has elements that are no finite numbers")
    return elements.reshape(shape)


def requested(request: pb.ModelInferRequest, signature: Signature) -> list[TensorSpec]:
    """Return the outputs that a request asks for, in its order; all where it names none.

    Raises:
        InvalidRequestError: the model has no such output, or one is named twice.

    """
    specs = {spec.name: spec for spec in signature.outputs}
    names = [wanted.name for wanted in request.outputs[: len(specs) + 1]]
    if not specs.keys() >= set(names) or len(set(names)) < len(names):
        raise InvalidRequestError(
            f"the model has the outputs {_listed(specs)}; the request asks for {_listed(names)}"
        )
    return [specs[name] for name in names or specs]


def write(
    response: pb.ModelInferResponse,
    specs: Iterable[TensorSpec],
    rows: Sequence[Mapping[str, Tensor]],
) -> None:
    """Put outputs into an answer, raw: elements in row-major order, little-endian.

    Args:
        response: gets one tensor for each of ``specs``.
        specs: which outputs, in which order.
        rows: the outputs of each row by name, without the number of rows.

    """
    for spec in specs:
        shape = (len(rows), *rows[0][spec.name].shape)
        response.outputs.add(name=spec.name, datatype=datatype(spec).name, shape=shape)
        response.raw_output_contents.append(b"".join(row[spec.name].tobytes() for row in rows))


def _fits(shape: Sequence[int], of_row: Sequence[int]) -> bool:
    return len(shape) == 1 + len(of_row) and all(
        came == size or (size == VARIES and came > 0)
        for came, size in zip(shape[1:], of_row, strict=True)
    )


def _unchecked(request: pb.ModelInferRequest) -> Sequence[float]:
    for content in request.raw_input_contents[:1]:
        return content
    for sent in request.inputs[:1]:
        for field, values in sent.contents.ListFields():
            if field.name in _TYPED:
                typed: Sequence[float] = values
                return typed
    return ()


def _raw(contents: Sequence[bytes], spec: TensorSpec, elements: int) -> Tensor:
    if len(contents) != 1:
        raise InvalidRequestError(
            f"raw_input_contents has one entry an input; {len(contents)} came"
        )
    expected = elements * spec.dtype.itemsize
    if len(contents[0]) != expected:
        raise InvalidRequestError(
            f"input {spec.name} takes {expected} bytes in this shape; {len(contents[0])} came"
        )
    return np.frombuffer(contents[0], spec.dtype.newbyteorder("<"))


def _typed(contents: pb.InferTensorContents, spec: TensorSpec, elements: int) -> Tensor:
    kind = datatype(spec)
    came = [field.name for field, _ in contents.ListFields()]
    if kind.field is None or came != [kind.field]:
        where = (
            "raw_input_contents" if kind.field is None else f"{kind.field} or raw_input_contents"
        )
        raise InvalidRequestError(
            f"input {spec.name} is {kind.name}, sent in {where}; {_listed(came)} came"
        )
    values = getattr(contents, kind.field)
    if len(values) != elements:
        raise InvalidRequestError(
            f"input {spec.name} takes {elements} elements in this shape; {len(values)} came"
        )
    carried = np.fromiter(values, kind.carrier, elements)
    tensor = carried.astype(spec.dtype)
    if not np.array_equal(tensor, carried, equal_nan=True):
        raise InvalidRequestError(f"input {spec.name} has elements that are no {kind.name}")
    return tensor


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "nothing"
