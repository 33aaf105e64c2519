"""Real ONNX files of a few hundred bytes that keep the models' contract.

They know nothing of medicine, but they compute: the segmenter marks what is dark, the
classifier answers from the picture's mean color, and ONNX Runtime runs both.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Shape = list[str | int]

SIZE = 64
LABELS = ["akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"]
_CELL = 16
_OPSET = [helper.make_opsetid("", 17)]


def write_models(model_dir: Path) -> Path:
    """Write version 1 of both models into a model folder and return the folder."""
    publish(segmenter(), model_dir / "segmenter" / "1")
    publish(classifier(), model_dir / "classifier" / "1")
    return model_dir


def publish(model: onnx.ModelProto, folder: Path) -> Path:
    """Write a model with its checksum, as an export does."""
    folder.mkdir(parents=True, exist_ok=True)
    content = model.SerializeToString()
    (folder / "model.onnx").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    (folder / "SHA256SUMS").write_text(f"{digest}  model.onnx\n")
    return folder


def publish_evaluation(
    folder: Path, headline: Mapping[str, object], report: Mapping[str, object]
) -> None:
    """Write an evaluation of a published model beside it, as the workshop does."""
    sha256 = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
    written = {
        "file": {"name": "model.onnx", "sha256": sha256},
        "headline": headline,
        "results": {"report_fold": report},
    }
    (folder / "evaluation.json").write_text(json.dumps(written))


def publish_variant(
    variant: onnx.ModelProto, folder: Path, precision: str, **verdict: object
) -> None:
    """Write a variant beside its model, with a verdict that accepts it unless told otherwise."""
    file = f"model.{precision}.onnx"
    model = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
    _describe(variant, {"variant": precision, "variant_of": model})
    content = variant.SerializeToString()
    (folder / file).write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    with (folder / "SHA256SUMS").open("a") as sums:
        sums.write(f"{digest}  {file}\n")
    entry = {"file": file, "variant_of": model, "sha256": digest, "accepted": True, "why": "it is"}
    (folder / "variants.json").write_text(json.dumps([{**entry, **verdict}]))


def _describe(model: onnx.ModelProto, metadata: dict[str, str]) -> None:
    said = {each.key: each.value for each in model.metadata_props}
    helper.set_model_props(model, {**said, **metadata})


def pictures(rows: int, seed: int = 1) -> np.ndarray:
    """Return rows of noise, as the models take them."""
    return np.random.default_rng(seed).integers(0, 256, (rows, SIZE, SIZE, 3), dtype=np.uint8)


def segmenter(**metadata: str) -> onnx.ModelProto:
    """Build a segmenter whose mask is sigmoid((115 - gray) / 10)."""
    return _segmenter(115, SIZE, metadata)


def another_segmenter(*, size: int = SIZE) -> onnx.ModelProto:
    """Build one that sees larger lesions: sigmoid((130 - gray) / 10)."""
    return _segmenter(130, size, {})


def _segmenter(middle: float, size: int, metadata: dict[str, str]) -> onnx.ModelProto:
    nodes = [
        helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["float"], ["gray"], axes=[3], keepdims=1),
        helper.make_node("Sub", ["middle", "gray"], ["dark"]),
        helper.make_node("Div", ["dark", "width"], ["logit"]),
        helper.make_node("Sigmoid", ["logit"], ["mask"]),
    ]
    constants = {"middle": np.array([middle], np.float32), "width": np.array([10], np.float32)}
    outputs: dict[str, Shape] = {"mask": ["N", size, size, 1]}
    return _model("segmenter", nodes, constants, outputs, size, metadata)


def slow_segmenter(side: int = 1200) -> onnx.ModelProto:
    """Build a segmenter that takes tens of milliseconds a batch: it squares a large matrix."""
    nodes = [
        helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["float"], ["gray"], axes=[3], keepdims=1),
        helper.make_node("ReduceMean", ["gray"], ["mean"], axes=[0, 1, 2, 3], keepdims=0),
        helper.make_node("Expand", ["mean", "square"], ["matrix"]),
        helper.make_node("MatMul", ["matrix", "matrix"], ["product"]),
        helper.make_node("ReduceMean", ["product"], ["work"], axes=[0, 1], keepdims=0),
        helper.make_node("Min", ["work", "zero"], ["nothing"]),
        helper.make_node("Add", ["gray", "nothing"], ["logit"]),
        helper.make_node("Sigmoid", ["logit"], ["mask"]),
    ]
    constants = {"square": np.array([side, side]), "zero": np.array(0, np.float32)}
    outputs: dict[str, Shape] = {"mask": ["N", SIZE, SIZE, 1]}
    return _model("segmenter", nodes, constants, outputs, SIZE, {})


def heavy_segmenter() -> onnx.ModelProto:
    """Build a segmenter whose every row costs as much as a real model's: 0.7 GFLOP."""
    value = numpy_helper.from_array(np.array([0.003], np.float32))
    nodes = [
        helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["float"], ["layer0"], perm=[0, 3, 1, 2]),
    ]
    for layer, channels in enumerate([3] + 9 * [32]):
        # Weights that are computed at load keep the file small.
        sizes = numpy_helper.from_array(np.array([32, channels, 3, 3], np.int64))
        shape, weights, after = f"shape{layer}", f"weights{layer}", f"layer{layer + 1}"
        nodes += [
            helper.make_node("Constant", [], [shape], value=sizes),
            helper.make_node("ConstantOfShape", [shape], [weights], value=value),
            helper.make_node("Conv", [f"layer{layer}", weights], [after], pads=[1] * 4),
        ]
    nodes += [
        helper.make_node("Transpose", ["layer10"], ["last"], perm=[0, 2, 3, 1]),
        helper.make_node("ReduceMean", ["last"], ["mean"], axes=[3], keepdims=1),
        helper.make_node("Sigmoid", ["mean"], ["mask"]),
    ]
    return _model("segmenter", nodes, {}, {"mask": ["N", SIZE, SIZE, 1]}, SIZE, {})


def classifier(**metadata: str) -> onnx.ModelProto:
    """Build a classifier that answers from the mean color; its map comes from the same sums."""
    return _classifier([], SIZE, 3, metadata)


def another_classifier(*, size: int = SIZE, seed: int = 4) -> onnx.ModelProto:
    """Build one with other weights: it gives every picture other probabilities."""
    return _classifier([], size, seed, {})


def weighted_classifier(values: np.ndarray) -> onnx.ModelProto:
    """Build one with these weights: float32, 3 x labels."""
    model = classifier()
    weights = next(each for each in model.graph.initializer if each.name == "weights")
    weights.CopyFrom(numpy_helper.from_array(values, "weights"))
    for output in model.graph.output:
        output.type.tensor_type.shape.dim[-1].dim_value = values.shape[1]
    return model


def brittle_classifier() -> onnx.ModelProto:
    """Build a classifier whose answer to any picture brighter than 60 is not a number."""
    root = [
        helper.make_node("Sub", ["limit", "features"], ["headroom"]),
        helper.make_node("Sqrt", ["headroom"], ["rooted"]),
    ]
    return _classifier(root, SIZE, 3, {})


def failing_classifier() -> onnx.ModelProto:
    """Build a classifier on which the runtime fails where a picture is more blue than red."""
    look_up = [
        *_BLUENESS,
        helper.make_node("Cast", ["is_blue"], ["index"], to=TensorProto.INT64),
        helper.make_node("Gather", ["zero", "index"], ["found"]),
        helper.make_node("Add", ["features", "found"], ["same"]),
    ]
    return _classifier(look_up, SIZE, 3, {})


def greedy_classifier() -> onnx.ModelProto:
    """Build a classifier that wants 128 TiB where a picture is more blue than red."""
    want = [
        *_BLUENESS,
        helper.make_node("Cast", ["is_blue"], ["index"], to=TensorProto.INT64),
        helper.make_node("Mul", ["index", "very_many"], ["length"]),
        helper.make_node("ConstantOfShape", ["length"], ["zeros"]),
        helper.make_node("ReduceSum", ["zeros"], ["sum"], keepdims=0),
        helper.make_node("Add", ["features", "sum"], ["same"]),
    ]
    return _classifier(want, SIZE, 3, {})


def endless_classifier(on: Literal["blue", "any", "several"] = "blue") -> onnx.ModelProto:
    """Build a classifier that never ends on a picture more blue than red, on any, or on several."""
    names = {"again": TensorProto.BOOL, "kept": TensorProto.FLOAT}
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["going"], ["again"]),
            helper.make_node("Identity", ["held"], ["kept"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("round", TensorProto.INT64, []),
            helper.make_tensor_value_info("going", TensorProto.BOOL, []),
            helper.make_tensor_value_info("held", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info(name, kind, [] if name == "again" else None)
            for name, kind in names.items()
        ],
    )
    condition = {"blue": "is_blue", "any": "always", "several": "are_several"}[on]
    loop = helper.make_node("Loop", ["", condition, "features"], ["same"], body=body)
    return _classifier([*_BLUENESS, *_NUMBER, loop], SIZE, 3, {})


_BLUENESS = (
    helper.make_node("MatMul", ["features", "blue_less_red"], ["tint"]),
    helper.make_node("ReduceMean", ["tint"], ["mean_tint"], keepdims=0),
    helper.make_node("Greater", ["mean_tint", "nothing"], ["is_blue"]),
)
_NUMBER = (
    helper.make_node("Shape", ["image"], ["rows"], start=0, end=1),
    helper.make_node("ReduceMax", ["rows"], ["number"], keepdims=0),
    helper.make_node("Greater", ["number", "one"], ["are_several"]),
)


def _classifier(
    before: list[onnx.NodeProto], size: int, seed: int, metadata: dict[str, str]
) -> onnx.ModelProto:
    weights = np.random.default_rng(seed).normal(0, 0.02, (3, 7)).astype(np.float32)
    nodes = [
        helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["float"], ["channels"], perm=[0, 3, 1, 2]),
        helper.make_node(
            "AveragePool", ["channels"], ["cells"], kernel_shape=[_CELL] * 2, strides=[_CELL] * 2
        ),
        helper.make_node("Transpose", ["cells"], ["features"], perm=[0, 2, 3, 1]),
        *before,
        helper.make_node(
            "MatMul", [before[-1].output[0] if before else "features", "weights"], ["explanation"]
        ),
        helper.make_node("ReduceMean", ["explanation"], ["logits"], axes=[1, 2], keepdims=0),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    constants: dict[str, np.ndarray] = {
        "weights": weights,
        "limit": np.array([60], np.float32),
        "blue_less_red": np.array([[-1], [0], [1]], np.float32),
        "nothing": np.array(0, np.float32),
        "very_many": np.array([2**45]),
        "zero": np.zeros(1, np.float32),
        "one": np.array(1, np.int64),
        "always": np.array(True),  # noqa: FBT003 - a constant of a graph
    }
    cells = size // _CELL
    outputs: dict[str, Shape] = {"probabilities": ["N", 7], "explanation": ["N", cells, cells, 7]}
    return _model("classifier", nodes, constants, outputs, size, metadata)


def _model(
    name: str,
    nodes: list[onnx.NodeProto],
    constants: dict[str, np.ndarray],
    outputs: dict[str, Shape],
    size: int,
    metadata: dict[str, str],
) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", size, size, 3])],
        [
            helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)
            for output, shape in outputs.items()
        ],
        [numpy_helper.from_array(value, constant) for constant, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=_OPSET, ir_version=8)
    promises = {
        "name": name,
        "version": "1",
        "labels": json.dumps(LABELS),
        "input_size": json.dumps(size),
        "resize": "pillow-bicubic",
        "suspicious_threshold": "0.4",
        "metrics": json.dumps({"split": "none: made for tests"}),
    }
    helper.set_model_props(model, {**promises, **metadata})
    onnx.checker.check_model(model)
    return model
