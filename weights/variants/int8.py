"""Eight bits: weights as int8 a channel, activations as uint8, biases corrected.

ONNX Runtime's static quantization in its QDQ form (u8s8, which its processor
kernels are made for). Rounding a weight moves the average of what its channel
answers; that shift is known from the average input and is taken back in the
bias (Nagel et al., arXiv:1906.04721, section 4.2).
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantType,
    quantize_static,
)

from weights import efficientnet_lite, graph, runtime
from weights.variants.body import body, convolutions

if TYPE_CHECKING:
    from collections.abc import Mapping

OPERATORS = ("Add", "AveragePool", "Clip", "Conv", "Resize")
"""What is quantized inside the body; the kernels for these gain by it."""

_AT_ONCE = 24
"""Pictures whose activations are held in memory together."""


class Recipe(NamedTuple):
    """How a model is brought to eight bits.

    Attributes:
        float_convolutions: so many of the first convolutions stay in float.

    """

    float_convolutions: int = 0

    def __str__(self) -> str:
        """Say it in words."""
        if not self.float_convolutions:
            return "the whole body in eight bits"
        return f"the first {self.float_convolutions} convolutions in float"


class _Pictures(CalibrationDataReader):  # type: ignore[misc] # ONNX Runtime ships no types
    """Hands pictures to the calibration one by one."""

    def __init__(self, images: np.ndarray) -> None:
        self._images = images
        self.set_range(0, len(images))

    def __len__(self) -> int:
        return len(self._images)

    def set_range(self, start_index: int, end_index: int) -> None:
        """Restrict what comes next to a part of the pictures."""
        self._places = iter(range(start_index, min(end_index, len(self._images))))

    def get_next(self) -> dict[str, np.ndarray] | None:
        """Return the next picture as a batch of one, or None after the last."""
        place = next(self._places, None)
        return None if place is None else {"image": self._images[place : place + 1]}


def quantized(
    prepared: onnx.ModelProto, images: np.ndarray, recipe: Recipe | None = None
) -> onnx.ModelProto:
    """Quantize a prepared model.

    Args:
        prepared: of `body.prepared`.
        images: uint8 (N, S, S, 3), pictures of training to learn the ranges from.
        recipe: what stays in float; by default nothing of the body.

    """
    chosen = _chosen(prepared, recipe or Recipe())
    images = images[: len(images) // _AT_ONCE * _AT_ONCE] if len(images) > _AT_ONCE else images
    with TemporaryDirectory() as folder:
        source, output = Path(folder) / "prepared.onnx", Path(folder) / "int8.onnx"
        onnx.save(prepared, source)
        quantize_static(
            source,
            output,
            _Pictures(images),
            op_types_to_quantize=list(OPERATORS),
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_quantize=chosen,
            calibrate_method=CalibrationMethod.MinMax,
            extra_options={
                "CalibStridedMinMax": min(_AT_ONCE, len(images)),
                "TensorQuantOverrides": {graph.PIXELS: [_PIXELS_AS_BYTES]},
            },
        )
        model = onnx.load(output)
    correct_biases(model, prepared, mean_inputs(prepared, images))
    return model


_PIXELS_AS_BYTES = {
    "scale": np.array(1 / efficientnet_lite.PIXEL_SCALE, np.float32),
    "zero_point": np.array(efficientnet_lite.PIXEL_MEAN, np.uint8),
}
"""The normalised pixels are the picture's bytes again: quantizing them loses nothing."""


def _chosen(model: onnx.ModelProto, recipe: Recipe) -> list[str]:
    """Name the nodes to quantize: the body, from the first convolution that is not float."""
    inside = body(model)
    if not recipe.float_convolutions:
        return inside
    inner = convolutions(model)
    first = inner[min(recipe.float_convolutions, len(inner) - 1)]
    return inside[inside.index(first.name) :]


def mean_inputs(prepared: onnx.ModelProto, images: np.ndarray) -> dict[str, np.ndarray]:
    """Average what enters each convolution of the body, over pictures and places.

    Returns the channels' means (float, C) by the name of the value that enters.
    """
    model = onnx.ModelProto()
    model.CopyFrom(prepared)
    entering = sorted({node.input[0] for node in convolutions(prepared)})
    for name in entering:
        mean = f"{name}_mean"
        model.graph.node.append(
            helper.make_node("ReduceMean", [name], [mean], axes=[2, 3], keepdims=0)
        )
        model.graph.output.append(helper.make_tensor_value_info(mean, TensorProto.FLOAT, None))
    found = runtime.answers(runtime.session(model), images)
    return {name: found[f"{name}_mean"].mean(axis=0) for name in entering}


def correct_biases(
    model: onnx.ModelProto, prepared: onnx.ModelProto, means: Mapping[str, np.ndarray]
) -> None:
    """Take back, in the biases of a quantized model, what rounding its weights has shifted.

    A convolution whose weights or bias are not quantized is left alone.
    """
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    originals = {tensor.name: tensor for tensor in prepared.graph.initializer}
    dequantized = {
        node.output[0]: [constants[name] for name in node.input]
        for node in model.graph.node
        if node.op_type == "DequantizeLinear" and node.input[0] in constants
    }
    quantized_nodes = {node.name: node for node in model.graph.node}
    for node in convolutions(prepared):
        _, weight, bias = [*quantized_nodes[node.name].input, ""][:3]
        if weight not in dequantized or bias not in dequantized:
            continue
        rounded, scale, _ = map(numpy_helper.to_array, dequantized[weight])
        exact = numpy_helper.to_array(originals[node.input[1]])
        error = exact - rounded * scale.reshape(-1, 1, 1, 1).astype(np.float64)
        _add(dequantized[bias], shift(error, means[node.input[0]]))


def shift(error: np.ndarray, mean_input: np.ndarray) -> np.ndarray:
    """Return the mean change of a convolution's outputs (O) when ``error`` joins its weights.

    ``error`` is (O, I / groups, h, w), ``mean_input`` is (I); what lies beyond the
    picture's edge counts as the average too.
    """
    outputs, inputs = error.shape[:2]
    groups = len(mean_input) // inputs
    entering = np.repeat(mean_input.reshape(groups, inputs), outputs // groups, axis=0)
    moved: np.ndarray = (error.sum(axis=(2, 3)) * entering).sum(axis=1)
    return moved


def _add(bias: list[onnx.TensorProto], amount: np.ndarray) -> None:
    """Add to a quantized bias: its tensor (int32), scale and, perhaps, zero point."""
    tensor, scale = bias[:2]
    limits = np.iinfo(np.int32)
    moved = numpy_helper.to_array(tensor) + amount / numpy_helper.to_array(scale)
    values = np.clip(np.rint(moved), limits.min, limits.max).astype(np.int32)
    tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
