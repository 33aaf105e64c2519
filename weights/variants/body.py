"""Where a graph may be computed with less precision, and where not.

The body is what lies between the normalised pixels and the last convolution.
What comes before is exact, what comes after is small and decides: the head, the
softmax, the measure of novelty. Those stay in float.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import onnx
from onnxruntime.quantization.shape_inference import quant_pre_process

from weights import graph


def prepared(path: Path) -> onnx.ModelProto:
    """Load an exported model with its batch normalisations folded into the convolutions.

    Every node gets a name. The metadata are left behind.
    """
    with TemporaryDirectory() as folder:
        output = Path(folder) / "prepared.onnx"
        # The shapes are simple; the symbolic inference would want another package for them.
        quant_pre_process(str(path), str(output), skip_symbolic_shape=True)
        model = onnx.load(output)
    for node in model.graph.node:
        node.name = node.name or node.output[0]
    return model


def body(model: onnx.ModelProto) -> list[str]:
    """Name the nodes between the pixels and the last convolutions, the latter excluded.

    A convolution is a last one when no other convolution depends on it.
    """
    makers = {output: node for node in model.graph.node for output in node.output}
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    behind = {node.name: _behind(node, makers) for node in convolutions}
    inner: set[str] = set().union(*behind.values())
    lasts = [node.name for node in convolutions if node.name not in inner]
    chosen: set[str] = set().union(*(behind[name] for name in lasts)) - set(lasts)
    return [node.name for node in model.graph.node if node.name in chosen]


def convolutions(model: onnx.ModelProto) -> list[onnx.NodeProto]:
    """Return the convolutions of the body, in the order they run."""
    inside = set(body(model))
    return [node for node in model.graph.node if node.op_type == "Conv" and node.name in inside]


def _behind(node: onnx.NodeProto, makers: dict[str, onnx.NodeProto]) -> set[str]:
    """Name the nodes that a node's inputs come from, back to the pixels."""
    found: set[str] = set()
    waiting = list(node.input)
    while waiting:
        value = waiting.pop()
        maker = makers.get(value)
        if value == graph.PIXELS or maker is None or maker.name in found:
            continue
        found.add(maker.name)
        waiting.extend(maker.input)
    return found
