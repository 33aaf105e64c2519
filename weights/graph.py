"""Surgery on the ONNX graph: bytes in front, answers behind, words beside.

A converted network takes normalised float pixels, channels first, and gives
raw logits. What services load takes the bytes of a picture as they lie in
memory and gives probabilities, and says in its own metadata what it is.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from weights import efficientnet_lite

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from weights.calibrate import Calibration
    from weights.novelty import Familiar

BATCH = "N"
"""The name of the batch dimension, the same on every input and output."""

PIXELS = "pixels"
"""The network's own input: float32 Nx3xSxS, normalised."""


def _constant(graph: onnx.GraphProto, name: str, values: np.ndarray) -> str:
    graph.initializer.append(numpy_helper.from_array(values.astype(np.float32), name))
    return name


def accept_bytes(model: onnx.ModelProto, size: int) -> None:
    """Put the way from ``image`` (uint8 NxSxSx3, RGB) to `PIXELS` in front.

    Scale and offset stand as [1, 3, 1, 1] constants after the transposition,
    which is ten times faster than what a converter makes of the same in
    TensorFlow.
    """
    graph = model.graph
    scale = np.full((1, 3, 1, 1), 1 / efficientnet_lite.PIXEL_SCALE)
    _constant(graph, "pixel_scale", scale)
    _constant(graph, "pixel_offset", -efficientnet_lite.PIXEL_MEAN * scale)
    head = [
        helper.make_node("Transpose", ["image"], ["image_planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Cast", ["image_planes"], ["image_float"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["image_float", "pixel_scale"], ["image_scaled"]),
        helper.make_node("Add", ["image_scaled", "pixel_offset"], [PIXELS]),
    ]
    body = list(graph.node)
    del graph.node[:]
    graph.node.extend([*head, *body])
    del graph.input[:]
    graph.input.append(
        helper.make_tensor_value_info("image", TensorProto.UINT8, [BATCH, size, size, 3])
    )


def answer_probabilities(model: onnx.ModelProto, calibration: Calibration) -> None:
    """Turn the ``logits`` output into calibrated ``probabilities`` (N, labels)."""
    graph = model.graph
    _constant(graph, "label_offsets", np.array([calibration.label_offsets]))
    _constant(graph, "inverse_temperature", np.array(1 / calibration.temperature))
    graph.node.extend(
        [
            helper.make_node("Add", ["logits", "label_offsets"], ["logits_offset"]),
            helper.make_node("Mul", ["logits_offset", "inverse_temperature"], ["logits_tempered"]),
            helper.make_node("Softmax", ["logits_tempered"], ["probabilities"], axis=-1),
        ]
    )
    _replace_output(graph, "logits", "probabilities", [BATCH, len(calibration.label_offsets)])


def answer_novelty(model: onnx.ModelProto, familiar: Familiar) -> None:
    """Turn the output ``texture`` into ``novelty`` (N): how unfamiliar it is."""
    graph = model.graph
    _constant(graph, "familiar_mean", familiar.mean[None])
    _constant(graph, "whitening", familiar.whitening)
    _constant(graph, "axes_share", np.array(1 / len(familiar.mean)))
    graph.node.extend(
        [
            helper.make_node("Sub", ["texture", "familiar_mean"], ["steps"]),
            helper.make_node("MatMul", ["steps", "whitening"], ["white_steps"]),
            helper.make_node(
                "ReduceSumSquare", ["white_steps"], ["distance"], axes=[1], keepdims=0
            ),
            helper.make_node("Mul", ["distance", "axes_share"], ["novelty"]),
        ]
    )
    _replace_output(graph, "texture", "novelty", [BATCH])


def _replace_output(graph: onnx.GraphProto, old: str, new: str, shape: Sequence[int | str]) -> None:
    kept = [output for output in graph.output if output.name != old]
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info(new, TensorProto.FLOAT, shape))
    graph.output.extend(kept)


def rename(model: onnx.ModelProto, names: Mapping[str, str]) -> None:
    """Rename values wherever they stand: inputs, outputs and between nodes."""
    graph = model.graph
    for node in graph.node:
        for side in (node.input, node.output):
            side[:] = [names.get(name, name) for name in side]
    for value in [*graph.input, *graph.output]:
        value.name = names.get(value.name, value.name)


def double_plainly(model: onnx.ModelProto) -> None:
    """Write nearest-neighbour doubling without TensorFlow's deprecated mode.

    For a factor of exactly two, rounding half the output's place down picks
    the same pixel.
    """
    for node in model.graph.node:
        if node.op_type != "Resize":
            continue
        attributes = {attribute.name: attribute for attribute in node.attribute}
        mode = attributes["coordinate_transformation_mode"]
        if mode.s == b"tf_half_pixel_for_nn":
            mode.s = b"asymmetric"
            attributes["nearest_mode"].s = b"floor"


def name_batch(model: onnx.ModelProto) -> None:
    """Call the first dimension of every input and output `BATCH`."""
    for value in [*model.graph.input, *model.graph.output]:
        value.type.tensor_type.shape.dim[0].dim_param = BATCH


def describe(model: onnx.ModelProto, words: Mapping[str, object]) -> None:
    """Write metadata: strings as they are, everything else as JSON."""
    del model.metadata_props[:]
    for key, value in words.items():
        model.metadata_props.add(
            key=key, value=value if isinstance(value, str) else json.dumps(value)
        )


def words_of(model: onnx.ModelProto) -> dict[str, str]:
    """Read the metadata back."""
    return {prop.key: prop.value for prop in model.metadata_props}
