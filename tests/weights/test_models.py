"""The shipped files keep the contract, and their cards say what was measured."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from weights import card, export, graph

LABELS = ["akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"]
OUTPUTS = {
    "classifier": {
        "probabilities": ["N", 7],
        "explanation": ["N", 7, 7, 7],
        "embedding": ["N", 1280],
        "novelty": ["N"],
    },
    "segmenter": {"mask": ["N", 224, 224, 1]},
}


@pytest.fixture(params=sorted(OUTPUTS))
def shipped(request: pytest.FixtureRequest) -> Path:
    """Return the folder of each shipped model in turn."""
    return export.MODELS / str(request.param) / "1"


def evaluation(folder: Path) -> dict[str, object]:
    return dict(json.loads((folder / "evaluation.json").read_text(encoding="utf-8")))


def test_inputs_and_outputs_are_what_services_load(shipped: Path) -> None:
    session = export.session(shipped / "model.onnx")
    (image,) = session.get_inputs()
    assert (image.name, image.type, image.shape) == (
        "image",
        "tensor(uint8)",
        ["N", 224, 224, 3],
    )
    assert {output.name: output.shape for output in session.get_outputs()} == OUTPUTS[
        shipped.parent.name
    ]
    assert {output.type for output in session.get_outputs()} == {"tensor(float)"}


def test_a_picture_gets_the_same_answer_alone_and_in_a_batch(
    shipped: Path, pictures: np.ndarray
) -> None:
    session: ort.InferenceSession = export.session(shipped / "model.onnx")
    together = export.answers(session, pictures, batch=3)
    alone = export.answers(session, pictures, batch=1)
    for name, values in together.items():
        assert np.isfinite(values).all()
        assert values == pytest.approx(alone[name], rel=1e-3, abs=1e-4)


def test_metadata_says_what_the_file_is(shipped: Path) -> None:
    words = graph.words_of(onnx.load(shipped / "model.onnx"))
    name = shipped.parent.name
    assert (words["name"], words["version"]) == (name, "1")
    assert json.loads(words["labels"]) == (LABELS if name == "classifier" else ["lesion"])
    assert json.loads(words["input_size"]) == 224
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


def test_the_checksum_is_the_files_own(shipped: Path) -> None:
    digest = hashlib.sha256((shipped / "model.onnx").read_bytes()).hexdigest()
    assert (shipped / "SHA256SUMS").read_text(encoding="utf-8") == f"{digest}  model.onnx\n"


def test_a_card_is_exactly_what_its_evaluation_says(shipped: Path) -> None:
    written = (shipped / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert written == card.render(evaluation(shipped))


def test_the_file_carries_the_headline_of_its_evaluation(shipped: Path) -> None:
    words = graph.words_of(onnx.load(shipped / "model.onnx"))
    assert json.loads(words["metrics"]) == evaluation(shipped)["headline"]


def test_the_models_are_good_enough_to_ship() -> None:
    classifier = json.loads((export.MODELS / "classifier/1/evaluation.json").read_text())
    segmenter = json.loads((export.MODELS / "segmenter/1/evaluation.json").read_text())
    assert classifier["headline"]["balanced_accuracy"] > 0.65
    assert classifier["headline"]["expected_calibration_error"] <= 0.05
    assert segmenter["headline"]["mean_dice"] > 0.88
