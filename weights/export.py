"""Export: from a trained Keras model to one self-describing ONNX file.

``python -m weights.export classifier|segmenter --weights FILE ...`` takes the best
weights of runs, converts them, calibrates on the validation fold, and writes
``weights/models/<name>/<version>/model.onnx`` only if ONNX Runtime and Keras
give the same answers. A converter logs what it cannot convert and writes a
broken file all the same; so every file is checked, loaded and compared first.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import keras
import numpy as np
import onnx
import onnxruntime as ort

from weights import (
    calibrate,
    classifier,
    dataset,
    efficientnet_lite,
    graph,
    looks,
    novelty,
    release,
    runtime,
    segmenter,
    trained,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

OPSET = 17
"""Newer opsets turn poolings into transpositions; older ones lack nothing we use."""

TOLERANCE = 1e-4
SIZE_LIMIT = 30 * 2**20
NOTICE = "Research and decision support only. Not a diagnosis."
LICENSE = (
    "Code Apache-2.0. Trained on HAM10000 (CC BY-NC 4.0): "
    "clear non-commercial terms before any commercial use."
)
TRAINING_DATA = (
    "HAM10000 folds 0-2 (split by lesion) and ISIC 2017 train; backbone pretrained on ImageNet-1k."
)


class ExportError(Exception):
    """The exported file cannot be shipped; nothing was written."""


class ExportMismatchError(ExportError):
    """ONNX Runtime and Keras disagree about the same pictures."""


class Export(NamedTuple):
    """A finished graph and the function it must agree with."""

    proto: onnx.ModelProto
    expected: Callable[[np.ndarray], dict[str, np.ndarray]]


def convert(model: keras.Model, size: int, outputs: Sequence[str]) -> onnx.ModelProto:
    """Convert ``model`` to ONNX: `graph.PIXELS` in, ``outputs`` out, by name.

    Only what follows the layer ``normalise`` is converted; the normalisation
    itself joins the graph's head.
    """
    # TensorFlow takes seconds to import; whoever only evaluates need not wait.
    import tensorflow as tf  # noqa: PLC0415
    import tf2onnx  # noqa: PLC0415

    network = keras.Model(
        model.get_layer("normalise").output, {name: model.output[name] for name in outputs}
    )
    signature = [tf.TensorSpec((None, size, size, 3), tf.float32, name=graph.PIXELS)]

    def run(pixels: tf.Tensor) -> tuple[tf.Tensor, ...]:
        answer = network(pixels, training=False)
        return tuple(answer[name] for name in outputs)

    function = tf.function(run, input_signature=signature)
    proto, _ = tf2onnx.convert.from_function(
        function, input_signature=signature, opset=OPSET, inputs_as_nchw=[f"{graph.PIXELS}:0"]
    )
    entry = proto.graph.input[0].name
    converted = [value.name for value in proto.graph.output]
    graph.rename(proto, {entry: graph.PIXELS, **dict(zip(converted, outputs, strict=True))})
    graph.accept_bytes(proto, size)
    graph.double_plainly(proto)
    graph.name_batch(proto)
    return proto


def keras_answers(model: keras.Model) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
    """Return a function from uint8 pictures to the Keras model's own outputs."""

    def run(images: np.ndarray) -> dict[str, np.ndarray]:
        outputs = model(images.astype(np.float32), training=False)
        return {name: np.asarray(values) for name, values in outputs.items()}

    return run


def verify(session: ort.InferenceSession, export: Export, images: np.ndarray) -> float:
    """Compare ONNX Runtime with Keras on batches of one and of three.

    Returns the largest difference. Raises `ExportMismatchError` when an output is
    missing, shaped otherwise, or further off than `TOLERANCE`.
    """
    return max(_difference(session, export, images[:count]) for count in (1, 3))


def _difference(session: ort.InferenceSession, export: Export, images: np.ndarray) -> float:
    expected = export.expected(images)
    got = runtime.answers(session, images)
    if got.keys() != expected.keys():
        message = f"outputs are {sorted(got)}, expected {sorted(expected)}"
        raise ExportMismatchError(message)
    worst = 0.0
    for name, values in expected.items():
        if got[name].shape != values.shape:
            message = f"{name} has shape {got[name].shape}, expected {values.shape}"
            raise ExportMismatchError(message)
        # Relative where numbers are large: a distance of 50 has fewer decimals.
        difference = float(np.max(np.abs(got[name] - values) / np.maximum(1, np.abs(values))))
        if not difference <= TOLERANCE:
            message = f"{name} differs by {difference:.2e} for a batch of {len(images)}"
            raise ExportMismatchError(message)
        worst = max(worst, difference)
    return worst


def save(export: Export, path: Path, images: np.ndarray) -> float:
    """Write a verified file; return its largest difference from Keras.

    Raises `ExportError` (or `ExportMismatchError`) and leaves neither a new nor a
    damaged file when anything about the graph is wrong.
    """
    with release.replacing(path) as partial:
        try:
            onnx.checker.check_model(export.proto, full_check=True)
        except onnx.checker.ValidationError as error:
            message = f"not a valid graph: {error}"
            raise ExportError(message) from error
        onnx.save(export.proto, partial)
        if partial.stat().st_size > SIZE_LIMIT:
            message = f"{partial.stat().st_size} bytes is more than {SIZE_LIMIT}"
            raise ExportError(message)
        return verify(runtime.session(partial), export, images)


def common_words(
    name: str, labels: Sequence[str], size: int, architecture: str
) -> dict[str, object]:
    """Return the metadata that every model carries."""
    return {
        "name": name,
        "version": release.VERSIONS[name],
        "labels": list(labels),
        "input_size": size,
        "color_space": "RGB",
        "resize": dataset.RESIZE,
        "architecture": architecture,
        "training_data": TRAINING_DATA,
        "license": LICENSE,
        "metrics": {},
        "notice": NOTICE,
    }


def export_classifier(
    model: keras.Model,
    calibration: calibrate.Calibration,
    familiar: novelty.Familiar,
    backbone: efficientnet_lite.Name = classifier.BACKBONE,
) -> Export:
    """Build the classifier's graph and what it must agree with."""
    size = int(model.input.shape[1])
    proto = convert(model, size, ["logits", "explanation", "embedding", "texture"])
    graph.answer_probabilities(proto, calibration)
    graph.answer_novelty(proto, familiar)
    architecture = efficientnet_lite.ARCHITECTURES[backbone].title
    if len(classifier.SERVING[backbone].looks) > 1:
        architecture += ", mean of two mirrored looks"
    words = common_words("classifier", classifier.LABELS, size, architecture)
    words["temperature"] = round(calibration.temperature, 6)
    words["label_offsets"] = [round(offset, 6) for offset in calibration.label_offsets]
    words["suspicious_threshold"] = round(calibration.suspicious_threshold, 6)
    words["melanoma_threshold"] = round(calibration.melanoma_threshold, 6)
    words["novelty_threshold"] = round(calibration.novelty_threshold, 6)
    graph.describe(proto, words)
    raw = keras_answers(model)

    def expected(images: np.ndarray) -> dict[str, np.ndarray]:
        outputs = raw(images)
        outputs["probabilities"] = calibration.probabilities(outputs.pop("logits"))
        outputs["novelty"] = familiar.novelty(outputs.pop("texture"))
        return outputs

    return Export(proto, expected)


def export_segmenter(model: keras.Model) -> Export:
    """Build the segmenter's graph and what it must agree with."""
    size = int(model.input.shape[1])
    proto = convert(model, size, ["mask"])
    architecture = "U-Net, EfficientNet-Lite0 encoder, mean of two mirrored looks"
    graph.describe(proto, common_words("segmenter", ["lesion"], size, architecture))
    raw = keras_answers(model)
    return Export(proto, lambda images: {"mask": raw(images)["mask"]})


def main() -> None:
    """Export from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m weights.export")
    parser.add_argument("model", choices=["classifier", "segmenter"])
    parser.add_argument(
        "--weights", type=Path, nargs="+", required=True, help="of a run; of several: averaged"
    )
    parser.add_argument(
        "--backbone",
        choices=list(classifier.SERVING),
        default=classifier.BACKBONE,
        help="the classifier's, as its runs were told",
    )
    parser.add_argument("--data", type=Path, default=dataset.data_folder())
    parser.add_argument("--models", type=Path, default=release.MODELS)
    args = parser.parse_args()
    network = segmenter.build() if args.model == "segmenter" else _backed(args.backbone)
    trained.load(network, *args.weights)
    if args.model == "segmenter":
        export = export_segmenter(looks.averaged(network, segmenter.LOOKS))
    else:
        export = _classifier(network, args.backbone, args.data)
    pictures = dataset.ham10000(args.data, [dataset.VALIDATION_FOLD])[:3]
    images = dataset.images(args.data, pictures, int(network.input.shape[1]))
    path = release.file(args.models, args.model)
    difference = save(export, path, images)
    trained.keep(network, path.with_name(release.NETWORK))
    print(f"{path}: {path.stat().st_size} bytes, at most {difference:.1e} from Keras")


def _backed(backbone: efficientnet_lite.Name) -> keras.Model:
    """Build the classifier as it is served on ``backbone``."""
    size = classifier.SERVING[backbone].size
    return classifier.build(size, efficientnet_lite.ARCHITECTURES[backbone])


def _classifier(network: keras.Model, backbone: efficientnet_lite.Name, data: Path) -> Export:
    size, flips = classifier.SERVING[backbone]
    model = looks.averaged(network, flips)
    raw = runtime.session(convert(model, size, ["logits", "texture"]))
    familiar = novelty.fit(_textures(raw, data, size))
    calibration = _calibrate(raw, familiar, data, size)
    return export_classifier(model, calibration, familiar, backbone)


def _textures(raw: ort.InferenceSession, data: Path, size: int) -> np.ndarray:
    """Return the textures of all training pictures, frames and crops, one a row."""
    pictures = dataset.training(data)
    cropped = [picture for picture in pictures if picture.has_centercrop]
    parts = (dataset.images(data, pictures, size), dataset.center_crops(data, cropped, size))
    return np.concatenate([runtime.answers(raw, images)["texture"] for images in parts])


def _calibrate(
    raw: ort.InferenceSession, familiar: novelty.Familiar, data: Path, size: int
) -> calibrate.Calibration:
    pictures = dataset.ham10000(data, [dataset.VALIDATION_FOLD])
    outputs = runtime.answers(raw, dataset.images(data, pictures, size))
    calibration = calibrate.fit(outputs["logits"], dataset.targets(pictures))
    limit = novelty.threshold(familiar.novelty(outputs["texture"]))
    return calibration._replace(novelty_threshold=limit)


if __name__ == "__main__":
    main()
