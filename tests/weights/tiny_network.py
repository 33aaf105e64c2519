"""A classifier of four convolutions with everything a real one has: nothing learnt, all computed.

Its random numbers are drawn once; it is exported as a real one is.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests import tiny_models
from weights import export, graph
from weights.calibrate import Calibration
from weights.classifier import LABELS

SIZE = tiny_models.SIZE
CHANNELS = 8


def classifier(**words: str) -> onnx.ModelProto:
    """Build the model as `weights.export` would hand it over."""
    rng = np.random.default_rng(11)
    c = CHANNELS
    constants = {
        "stem_weights": rng.normal(0, 0.4, (c, 3, 3, 3)),
        "stem_bias": rng.normal(0, 0.2, c),
        "depth_weights": rng.normal(0, 0.4, (c, 1, 3, 3)) * rng.uniform(0.1, 2, (c, 1, 1, 1)),
        "batch_scale": rng.uniform(0.5, 1.5, (1, c, 1, 1)),
        "batch_shift": rng.normal(0, 0.3, (1, c, 1, 1)),
        "project_weights": rng.normal(0, 0.4, (c, c, 1, 1)),
        "project_bias": rng.normal(0, 0.1, c),
        "label_weights": rng.normal(0, 1.0, (len(LABELS), c, 1, 1)),
        "zero": np.array(0.0),
        "six": np.array(6.0),
        "many": np.array(100.0),
    }
    node = helper.make_node
    clip = ["zero", "six"]
    nodes = [
        node("Conv", [graph.PIXELS, "stem_weights", "stem_bias"], ["stem"], pads=[1] * 4),
        node("Clip", ["stem", *clip], ["stem_relu"]),
        node("Conv", ["stem_relu", "depth_weights"], ["depth"], group=c, pads=[1] * 4),
        node("Mul", ["depth", "batch_scale"], ["depth_scaled"]),
        node("Add", ["depth_scaled", "batch_shift"], ["depth_shifted"]),
        node("Clip", ["depth_shifted", *clip], ["depth_relu"]),
        node("Conv", ["depth_relu", "project_weights", "project_bias"], ["project"]),
        node("Add", ["project", "stem_relu"], ["joined"]),
        node("Conv", ["joined", "label_weights"], ["maps"]),
        node("GlobalAveragePool", ["maps"], ["means"]),
        node("Flatten", ["means"], ["logits"]),
        node("Transpose", ["maps"], ["explanation"], perm=[0, 2, 3, 1]),
        # Far beyond what half precision holds: what is not in the body must not pass through it.
        node("ReduceSumSquare", ["joined"], ["energy"], axes=[1, 2, 3], keepdims=0),
        node("Mul", ["energy", "many"], ["novelty"]),
    ]
    outputs: dict[str, list[str | int]] = {
        "logits": [graph.BATCH, len(LABELS)],
        "explanation": [graph.BATCH, SIZE, SIZE, len(LABELS)],
        "novelty": [graph.BATCH],
    }
    body = helper.make_graph(
        nodes,
        "classifier",
        [],
        [helper.make_tensor_value_info(k, TensorProto.FLOAT, s) for k, s in outputs.items()],
        [numpy_helper.from_array(v.astype(np.float32), k) for k, v in constants.items()],
    )
    model = helper.make_model(
        body, opset_imports=[helper.make_opsetid("", export.OPSET)], ir_version=8
    )
    graph.accept_bytes(model, SIZE)
    graph.answer_probabilities(model, Calibration())
    promises = {
        **export.common_words("classifier", LABELS, SIZE, "Four convolutions"),
        "suspicious_threshold": 0.4,
        "novelty_threshold": 1e9,
    }
    graph.describe(model, {**promises, **words})
    onnx.checker.check_model(model, full_check=True)
    return model
