"""What leaves the workshop answers exactly as what was trained, or does not leave."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest

from tests.weights.conftest import shaken
from weights import (
    calibrate,
    classifier,
    efficientnet_lite,
    export,
    graph,
    novelty,
    release,
    runtime,
)

if TYPE_CHECKING:
    import keras

TEXTURES = 2 * (40 + 80 + 112)

CALIBRATION = calibrate.Calibration(
    temperature=1.7,
    label_offsets=(0.1, -0.2, 0.3, 0.0, 0.5, -0.4, 0.0),
    suspicious_threshold=0.21,
    melanoma_threshold=0.13,
    novelty_threshold=2.5,
)


@pytest.fixture(scope="module")
def classifier_export(classifier_network: keras.Model) -> export.Export:
    rng = np.random.default_rng(11)
    familiar = novelty.fit(rng.normal(1, 1, (2000, TEXTURES)).astype(np.float32))
    return export.export_classifier(classifier_network, CALIBRATION, familiar)


@pytest.fixture(scope="module")
def segmenter_export(segmenter_network: keras.Model) -> export.Export:
    return export.export_segmenter(segmenter_network)


def test_the_classifiers_file_answers_as_keras_does(
    classifier_export: export.Export, pictures: np.ndarray, tmp_path: Path
) -> None:
    path = tmp_path / "classifier" / "1" / "model.onnx"
    assert export.save(classifier_export, path, pictures) <= 1e-4
    answers = runtime.answers(runtime.session(path), pictures)
    assert {name: values.shape for name, values in answers.items()} == {
        "probabilities": (3, 7),
        "explanation": (3, 7, 7, 7),
        "embedding": (3, 1280),
        "novelty": (3,),
    }
    assert answers["probabilities"].sum(axis=1) == pytest.approx(1)
    assert {file.name for file in path.parent.iterdir()} == {"model.onnx", "SHA256SUMS"}


def test_the_larger_backbone_is_exported_with_one_look_and_says_so(
    pictures: np.ndarray, tmp_path: Path
) -> None:
    network = shaken(classifier.build(64, efficientnet_lite.LITE2))
    rng = np.random.default_rng(11)
    familiar = novelty.fit(rng.normal(1, 1, (2000, 512)).astype(np.float32))
    made = export.export_classifier(network, CALIBRATION, familiar, "lite2")
    path = tmp_path / "model.onnx"
    assert export.save(made, path, np.ascontiguousarray(pictures[:, :64, :64])) <= 1e-4
    words = runtime.session(path).get_modelmeta().custom_metadata_map
    assert words["architecture"] == "EfficientNet-Lite2"


def test_the_segmenters_file_answers_as_keras_does(
    segmenter_export: export.Export, pictures: np.ndarray, tmp_path: Path
) -> None:
    path = tmp_path / "model.onnx"
    assert export.save(segmenter_export, path, pictures) <= 1e-4
    mask = runtime.answers(runtime.session(path), pictures)["mask"]
    assert mask.shape == (3, 224, 224, 1)
    assert mask.min() >= 0
    assert mask.max() <= 1


def test_the_explanation_averages_to_the_logits_behind_the_probabilities(
    classifier_export: export.Export, classifier_network: keras.Model, pictures: np.ndarray
) -> None:
    answers = runtime.answers(runtime.session(classifier_export.proto), pictures)
    (bias,) = classifier_network.get_layer("logits").get_weights()
    logits = answers["explanation"].mean(axis=(1, 2)) + bias
    assert CALIBRATION.probabilities(logits) == pytest.approx(answers["probabilities"], abs=1e-5)


def test_a_file_that_answers_otherwise_is_refused_and_the_old_one_stays(
    segmenter_export: export.Export, pictures: np.ndarray, tmp_path: Path
) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"the version before")
    wrong = segmenter_export._replace(
        expected=lambda images: {
            "mask": segmenter_export.expected(images)["mask"] + np.float32(0.01)
        }
    )
    with pytest.raises(export.ExportMismatchError, match="mask differs"):
        export.save(wrong, path, pictures)
    assert path.read_bytes() == b"the version before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_output_is_refused_and_leaves_no_file(
    segmenter_export: export.Export, pictures: np.ndarray, tmp_path: Path
) -> None:
    wrong = segmenter_export._replace(
        expected=lambda images: {**segmenter_export.expected(images), "area": np.zeros(1)}
    )
    with pytest.raises(export.ExportMismatchError, match="outputs are"):
        export.save(wrong, tmp_path / "model.onnx", pictures)
    assert list(tmp_path.iterdir()) == []


def test_a_broken_graph_is_refused_and_leaves_no_file(
    segmenter_export: export.Export, pictures: np.ndarray, tmp_path: Path
) -> None:
    broken = onnx.ModelProto()
    broken.CopyFrom(segmenter_export.proto)
    del broken.graph.node[5]
    with pytest.raises(export.ExportError, match="not a valid graph"):
        export.save(segmenter_export._replace(proto=broken), tmp_path / "model.onnx", pictures)
    assert list(tmp_path.iterdir()) == []


def test_metadata_keeps_strings_as_they_are_and_numbers_as_json(
    classifier_export: export.Export,
) -> None:
    words = graph.words_of(classifier_export.proto)
    assert words["name"] == "classifier"
    assert words["input_size"] == "224"
    assert words["labels"] == '["akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"]'
    assert words["temperature"] == "1.7"
    assert words["suspicious_threshold"] == "0.21"
    assert words["melanoma_threshold"] == "0.13"
    assert words["notice"] == "Research and decision support only. Not a diagnosis."


def test_pixels_are_normalised_inside_the_graph(classifier_export: export.Export) -> None:
    constants = {
        tensor.name: onnx.numpy_helper.to_array(tensor)
        for tensor in classifier_export.proto.graph.initializer
    }
    assert constants["pixel_scale"].shape == (1, 3, 1, 1)
    assert constants["pixel_scale"] == pytest.approx(1 / 128)
    assert constants["pixel_offset"] == pytest.approx(-127 / 128)


def test_checksums_of_other_files_stay_while_the_files_exist(tmp_path: Path) -> None:
    for name in ("model.int8.onnx", "model.onnx", "gone.onnx"):
        (tmp_path / name).write_bytes(name.encode())
        release.list_checksum(tmp_path / name, name[:5])
    (tmp_path / "gone.onnx").unlink()
    release.list_checksum(tmp_path / "model.onnx", "new")
    listed = (tmp_path / "SHA256SUMS").read_text(encoding="utf-8")
    assert listed == "model  model.int8.onnx\nnew  model.onnx\n"
    release.list_checksum(tmp_path / "model.int8.onnx", None)
    assert (tmp_path / "SHA256SUMS").read_text(encoding="utf-8") == "new  model.onnx\n"
