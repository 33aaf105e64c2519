"""The shipped files keep the contract, and their cards say what was measured."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from weights import card, graph, release, runtime

LABELS = ["akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"]
SIZES = {"classifier": 192, "segmenter": 224}
OUTPUTS = {
    "classifier": {
        "probabilities": ["N", 7],
        "explanation": ["N", 6, 6, 7],
        "embedding": ["N", 1280],
        "novelty": ["N"],
    },
    "segmenter": {"mask": ["N", 224, 224, 1]},
}


@pytest.fixture(params=sorted(OUTPUTS))
def shipped(request: pytest.FixtureRequest) -> Path:
    """Return the folder of each shipped model in turn."""
    return release.folder(release.MODELS, str(request.param))


def evaluation(folder: Path) -> dict[str, object]:
    return dict(json.loads((folder / "evaluation.json").read_text(encoding="utf-8")))


def test_inputs_and_outputs_are_what_services_load(shipped: Path) -> None:
    session = runtime.session(shipped / "model.onnx")
    (image,) = session.get_inputs()
    assert (image.name, image.type, image.shape) == (
        "image",
        "tensor(uint8)",
        ["N", SIZES[shipped.parent.name], SIZES[shipped.parent.name], 3],
    )
    assert {output.name: output.shape for output in session.get_outputs()} == OUTPUTS[
        shipped.parent.name
    ]
    assert {output.type for output in session.get_outputs()} == {"tensor(float)"}


def test_a_picture_gets_the_same_answer_alone_and_in_a_batch(
    shipped: Path, pictures: np.ndarray
) -> None:
    session: ort.InferenceSession = runtime.session(shipped / "model.onnx")
    size = SIZES[shipped.parent.name]
    together = runtime.answers(session, pictures[:, :size, :size], batch=3)
    alone = runtime.answers(session, pictures[:, :size, :size], batch=1)
    for name, values in together.items():
        assert np.isfinite(values).all()
        assert values == pytest.approx(alone[name], rel=1e-3, abs=1e-4)


def test_metadata_says_what_the_file_is(shipped: Path) -> None:
    words = graph.words_of(onnx.load(shipped / "model.onnx"))
    name = shipped.parent.name
    assert (words["name"], words["version"]) == (name, release.VERSIONS[name])
    assert json.loads(words["labels"]) == (LABELS if name == "classifier" else ["lesion"])
    assert json.loads(words["input_size"]) == SIZES[name]
    assert (words["color_space"], words["resize"]) == ("RGB", "pillow-bicubic")
    assert words["notice"] == "Research and decision support only. Not a diagnosis."
    for key in ("architecture", "training_data", "license"):
        assert words[key]
    if name == "classifier":
        assert json.loads(words["temperature"]) > 0
        assert 0 < json.loads(words["suspicious_threshold"]) < 1
        assert json.loads(words["novelty_threshold"]) > 0


def test_a_file_is_small_enough_to_live_in_the_repository(shipped: Path) -> None:
    assert (shipped / "model.onnx").stat().st_size <= 30 * 2**20


def test_every_model_file_is_listed_with_its_own_checksum(shipped: Path) -> None:
    files = sorted(shipped.glob("*.onnx"))
    digests = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
    listed = (shipped / "SHA256SUMS").read_text(encoding="utf-8")
    assert listed == "".join(f"{d}  {f.name}\n" for d, f in zip(digests, files, strict=True))


def test_variants_were_made_of_the_model_beside_them_and_accepted(shipped: Path) -> None:
    original = hashlib.sha256((shipped / "model.onnx").read_bytes()).hexdigest()
    written = shipped / "variants.json"
    verdicts = json.loads(written.read_text(encoding="utf-8")) if written.exists() else []
    assert [entry["variant_of"] for entry in verdicts] == [original] * len(verdicts)
    accepted = {entry["file"]: entry["sha256"] for entry in verdicts if entry["accepted"]}
    files = {file.name for file in shipped.glob("model.*.onnx")}
    assert files == accepted.keys()
    for name, digest in accepted.items():
        content = (shipped / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == digest
        words = graph.words_of(onnx.load(shipped / name))
        assert words["variant_of"] == original


def test_a_card_is_exactly_what_its_evaluation_says(shipped: Path) -> None:
    written = (shipped / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert written == card.render(evaluation(shipped))


def test_the_file_carries_the_headline_of_its_evaluation(shipped: Path) -> None:
    words = graph.words_of(onnx.load(shipped / "model.onnx"))
    assert json.loads(words["metrics"]) == evaluation(shipped)["headline"]


def test_the_models_are_good_enough_to_ship() -> None:
    classifier, segmenter = (
        json.loads((release.folder(release.MODELS, name) / "evaluation.json").read_text())
        for name in ("classifier", "segmenter")
    )
    assert classifier["headline"]["balanced_accuracy"] > 0.65
    assert classifier["headline"]["expected_calibration_error"] <= 0.05
    assert segmenter["headline"]["mean_dice"] > 0.88
