"""Half precision: the body computes in float16, inputs and outputs stay as they are.

Made for graphics cards. On a processor ONNX Runtime answers the same from it, but
mostly by converting back, so it gains nothing there.

ONNX Runtime's own converter would pass every value through float16, between the
nodes that are to stay in float too; a large distance from the known would then
become infinite. Here a value is converted only where it enters or leaves the body.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from weights.variants.body import body

ALWAYS_FLOAT = {"Resize": (1, 2)}
"""Inputs that must stay in float, by operator: places and scales are no pixels."""


def half(prepared: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy of a prepared model whose body computes in float16."""
    model = onnx.ModelProto()
    model.CopyFrom(prepared)
    conversion = _Conversion(model.graph, _floats(prepared))
    # Shapes and types of the values between: those of the body are no longer true.
    del model.graph.value_info[:]
    conversion.run(set(body(model)))
    return model


def _floats(model: onnx.ModelProto) -> set[str]:
    """Name every value of type float32, constants included."""
    inferred = onnx.shape_inference.infer_shapes(model).graph
    values = [*inferred.input, *inferred.output, *inferred.value_info]
    found = {v.name for v in values if v.type.tensor_type.elem_type == TensorProto.FLOAT}
    return found | {t.name for t in inferred.initializer if t.data_type == TensorProto.FLOAT}


class _Conversion:
    """One pass over a graph's nodes, which are in the order they run."""

    def __init__(self, graph: onnx.GraphProto, floats: set[str]) -> None:
        self._graph = graph
        self._floats = floats
        self._constants = {tensor.name: tensor for tensor in graph.initializer}
        self._halves: set[str] = set()
        self._nodes: list[onnx.NodeProto] = []

    def run(self, inside: set[str]) -> None:
        """Convert the nodes named by ``inside``; drop constants that nobody needs any more."""
        nodes = list(self._graph.node)
        needed = {name for node in nodes if node.name not in inside for name in node.input}
        needed |= {output.name for output in self._graph.output}
        for node in nodes:
            if node.name in inside:
                self._convert(node, needed)
            else:
                self._nodes.append(node)
        del self._graph.node[:]
        self._graph.node.extend(self._nodes)
        used = {name for node in self._nodes for name in node.input}
        kept = [tensor for tensor in self._graph.initializer if tensor.name in used]
        del self._graph.initializer[:]
        self._graph.initializer.extend(kept)

    def _convert(self, node: onnx.NodeProto, needed: set[str]) -> None:
        for place, name in enumerate(node.input):
            if name in self._floats and place not in ALWAYS_FLOAT.get(node.op_type, ()):
                node.input[place] = self._half_of(name)
        outputs = [name for name in node.output if name in self._floats]
        node.output[:] = [f"{name}_half" if name in outputs else name for name in node.output]
        self._halves.update(f"{name}_half" for name in outputs)
        self._nodes.append(node)
        self._nodes.extend(
            _cast(f"{name}_half", name, TensorProto.FLOAT) for name in outputs if name in needed
        )

    def _half_of(self, name: str) -> str:
        """Name the float16 form of a value; make it where there is none yet."""
        made = f"{name}_half"
        if made in self._halves:
            return made
        self._halves.add(made)
        if name in self._constants:
            values = numpy_helper.to_array(self._constants[name]).astype(np.float16)
            self._graph.initializer.append(numpy_helper.from_array(values, made))
        else:
            self._nodes.append(_cast(name, made, TensorProto.FLOAT16))
        return made


def _cast(source: str, target: str, to: int) -> onnx.NodeProto:
    return helper.make_node("Cast", [source], [target], name=f"{target}_cast", to=to)
