"""Variants answer nearly as the model does, and only what the rule accepts may stand in for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

from tests import tiny_models
from tests.weights import tiny_network
from weights import export, runtime
from weights.variants import figures, verdict
from weights.variants.body import body, convolutions, prepared
from weights.variants.half import half
from weights.variants.int8 import Recipe, mean_inputs, quantized, shift

FIGURES = {"balanced_accuracy": 0.7, "suspicious_sensitivity": 0.93, "refused": 0.01}


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("classifier")
    return tiny_models.publish(tiny_network.classifier(), folder) / "model.onnx"


@pytest.fixture(scope="module")
def plain(exported: Path) -> onnx.ModelProto:
    return prepared(exported)


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    """Thirty smooth pictures: noise that is coarser than the network's filters."""
    rng = np.random.default_rng(3)
    coarse = rng.integers(40, 220, (30, 8, 8, 3), np.uint8)
    return coarse.repeat(tiny_network.SIZE // 8, axis=1).repeat(tiny_network.SIZE // 8, axis=2)


@pytest.fixture(scope="module")
def small(plain: onnx.ModelProto, images: np.ndarray) -> onnx.ModelProto:
    return quantized(plain, images)


def answers(model: onnx.ModelProto | Path, images: np.ndarray) -> dict[str, np.ndarray]:
    return runtime.answers(runtime.session(model), images)


def types_of_weights(model: onnx.ModelProto) -> list[int]:
    """Return the type of the constants behind each convolution's weights, in order."""
    constants = {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    makers = {node.output[0]: node for node in model.graph.node}
    weights = [node.input[1] for node in model.graph.node if node.op_type == "Conv"]
    return [
        constants[name] if name in constants else constants[makers[name].input[0]]
        for name in weights
    ]


def test_the_body_ends_before_the_convolution_that_decides(plain: onnx.ModelProto) -> None:
    assert len(convolutions(plain)) == 3
    makers = {node.name: node for node in plain.graph.node}
    operators = {makers[name].op_type for name in body(plain)}
    assert operators == {"Conv", "Clip", "Add"}


def test_weights_become_bytes_but_for_the_head(small: onnx.ModelProto) -> None:
    assert types_of_weights(small) == [TensorProto.INT8] * 3 + [TensorProto.FLOAT]


def test_a_recipe_may_leave_the_first_convolutions_in_float(
    plain: onnx.ModelProto, images: np.ndarray
) -> None:
    kinds = types_of_weights(quantized(plain, images, Recipe(float_convolutions=2)))
    assert kinds == [TensorProto.FLOAT] * 2 + [TensorProto.INT8, TensorProto.FLOAT]


def test_eight_bits_answer_nearly_the_same(
    exported: Path, small: onnx.ModelProto, images: np.ndarray
) -> None:
    exact, coarse = answers(exported, images), answers(small, images)
    assert coarse.keys() == exact.keys()
    assert np.abs(coarse["probabilities"] - exact["probabilities"]).max() < 0.05
    assert coarse["novelty"] == pytest.approx(exact["novelty"], rel=0.05)


def test_half_precision_answers_the_same(
    exported: Path, plain: onnx.ModelProto, images: np.ndarray
) -> None:
    exact, close = answers(exported, images), answers(half(plain), images)
    assert np.abs(close["probabilities"] - exact["probabilities"]).max() < 0.005
    assert exact["novelty"].max() > 65504, "must be more than half precision holds"
    assert close["novelty"] == pytest.approx(exact["novelty"], rel=0.005)


def test_half_precision_keeps_float_at_both_ends(plain: onnx.ModelProto) -> None:
    model = half(plain)
    onnx.checker.check_model(model, full_check=True)
    assert types_of_weights(model) == [TensorProto.FLOAT16] * 3 + [TensorProto.FLOAT]
    session: ort.InferenceSession = runtime.session(model)
    assert {output.type for output in session.get_outputs()} == {"tensor(float)"}
    assert model.ByteSize() < plain.ByteSize()


@pytest.mark.parametrize("groups", [1, 2, 6])
def test_a_shift_is_what_a_convolution_adds_to_an_even_picture(groups: int) -> None:
    rng = np.random.default_rng(groups)
    error = rng.normal(0, 1, (12, 6 // groups, 3, 3)).astype(np.float32)
    levels = rng.normal(0, 1, 6).astype(np.float32)
    even = np.broadcast_to(levels[None, :, None, None], (1, 6, 5, 5))
    added = convolved(even, error, groups)[0, :, 0, 0]
    assert shift(error, levels) == pytest.approx(added, abs=1e-4)


def convolved(picture: np.ndarray, weights: np.ndarray, groups: int) -> np.ndarray:
    """Convolve with ONNX Runtime, without padding."""
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"], group=groups)],
        "convolution",
        [value("x", TensorProto.FLOAT, None), value("w", TensorProto.FLOAT, None)],
        [value("y", TensorProto.FLOAT, None)],
    )
    opset = [helper.make_opsetid("", export.OPSET)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=8)
    found: np.ndarray = runtime.session(model).run(["y"], {"x": picture, "w": weights})[0]
    return found


def test_corrected_biases_keep_the_average_of_what_the_head_sees(
    exported: Path,
    plain: onnx.ModelProto,
    small: onnx.ModelProto,
    images: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("weights.variants.int8.correct_biases", lambda *_: None)
    uncorrected = quantized(plain, images)

    def drift(model: onnx.ModelProto) -> float:
        exact, coarse = answers(exported, images), answers(model, images)
        moved = (coarse["explanation"] - exact["explanation"]).mean(axis=(0, 1, 2))
        return float(np.abs(moved).mean())

    assert drift(small) < 0.6 * drift(uncorrected)


def test_mean_inputs_are_averages_over_pictures_and_places(
    plain: onnx.ModelProto, images: np.ndarray
) -> None:
    means = mean_inputs(plain, images)
    pixels = (images.astype(np.float64) - 127) / 128
    assert means["pixels"] == pytest.approx(pixels.mean(axis=(0, 1, 2)), abs=1e-4)
    assert {mean.shape for mean in means.values()} == {(3,), (tiny_network.CHANNELS,)}


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"balanced_accuracy": 0.695}, ""),
        ({"balanced_accuracy": 0.6949}, "balanced accuracy falls by 0.0051, more than 0.005"),
        ({"balanced_accuracy": 0.9}, ""),
        ({"suspicious_sensitivity": 0.92}, ""),
        (
            {"suspicious_sensitivity": 0.9199},
            "suspicious sensitivity falls by 0.0101, more than 0.01",
        ),
        ({"refused": 0.02}, ""),
        ({"refused": 0.0201}, "the share of refused lesions rises by 0.0101, more than 0.01"),
        ({"balanced_accuracy": float("nan")}, "balanced accuracy falls by nan, more than 0.005"),
    ],
)
def test_a_variant_is_accepted_by_a_fixed_rule(changed: dict[str, float], why: str) -> None:
    judged = verdict.judge(FIGURES, {**FIGURES, **changed})
    assert judged.accepted is not bool(why)
    assert judged.why == (why or "no figure is worse than the rule allows")


def test_every_broken_limit_is_named() -> None:
    judged = verdict.judge(
        {"thresholded_jaccard": 0.85, "suspicious_sensitivity": 0.9},
        {"thresholded_jaccard": 0.8, "suspicious_sensitivity": 0.8},
    )
    assert judged.why == (
        "thresholded jaccard falls by 0.05, more than 0.005; "
        "suspicious sensitivity falls by 0.1, more than 0.01"
    )


def test_files_are_timed_side_by_side(exported: Path) -> None:
    first, second = figures.median_ms([exported, exported], runs=5)
    assert first > 0
    assert second > 0
