"""The whole evaluation, on drawn pictures and tiny models: what it measures, writes and stamps."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import onnx
import pytest

from tests import tiny_models
from weights import card, evaluate, graph, release, strangers, synthetic

WORDS = {
    "architecture": "A few nodes",
    "training_data": "None",
    "color_space": "RGB",
    "notice": "Research and decision support only. Not a diagnosis.",
}
VARIANT = {
    "file": "model.int8.onnx",
    "kind": "int8 QDQ",
    "bytes": 1000,
    "balanced_accuracy": 0.5,
    "drop": 0.01,
    "median_ms": 1.5,
    "accepted": True,
    "why": "half the time",
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Evaluate tiny models on drawn data; return their folder."""
    data, folder = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("models")
    synthetic.write(data, each=2)
    classifier = tiny_models.classifier(melanoma_threshold="0.2", **WORDS)
    tiny_models.publish(classifier, release.folder(folder, "classifier"))
    tiny_models.publish(tiny_models.segmenter(**WORDS), release.folder(folder, "segmenter"))
    beside = release.folder(folder, "classifier")
    made_of = hashlib.sha256((beside / "model.onnx").read_bytes()).hexdigest()
    written = [{**VARIANT, "variant_of": made_of}, {**VARIANT, "variant_of": "0" * 64}]
    (beside / "variants.json").write_text(json.dumps(written))
    evaluate.main(["--data", str(data), "--models", str(folder)])
    return folder


def published(models: Path, name: str) -> Any:
    return json.loads(
        (release.folder(models, name) / "evaluation.json").read_text(encoding="utf-8")
    )


@pytest.mark.parametrize("name", ["classifier", "segmenter"])
def test_the_card_is_written_from_the_evaluation_and_links_what_lies_beside_it(
    models: Path, name: str
) -> None:
    folder = release.folder(models, name)
    written = (folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert written == card.render(published(models, name))
    linked = set(re.findall(r"\]\((\w+\.svg)\)", written))
    assert linked == {file.name for file in folder.glob("*.svg")}
    assert linked


@pytest.mark.parametrize("name", ["classifier", "segmenter"])
def test_the_card_names_the_stamped_file_by_its_hash(models: Path, name: str) -> None:
    file = release.file(models, name)
    content = file.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    found = published(models, name)
    assert found["file"] == {"name": "model.onnx", "bytes": len(content), "sha256": digest}
    assert (file.parent / "SHA256SUMS").read_text() == f"{digest}  model.onnx\n"
    assert digest in (file.parent / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert json.loads(graph.words_of(onnx.load(file))["metrics"]) == found["headline"]


def test_the_classifier_is_measured_on_every_side(models: Path) -> None:
    results = published(models, "classifier")["results"]
    assert results["report_fold"]["pictures"] == 14
    assert results["report_fold"]["melanoma_point"]["sensitivity"]["value"] is not None
    assert set(results["groups"]["by"]) == {"age", "sex", "site", "confirmed by"}
    assert len(results["failures"]["melanomas"]) == 2
    assert set(results["deletion"]["controls"]) == {"moved", "random", "center"}


def test_the_product_is_asked_about_lesions_strangers_and_drawings(models: Path) -> None:
    product = published(models, "classifier")["results"]["product"]
    assert product["report_fold"]["pictures"] == 14
    assert product["outsiders"]["pictures"] == 4
    assert product["drawn"]["pictures"] == len(strangers.draw())
    assert product["drawn"]["kinds"]["flat"]["refused"] == 7


def test_the_segmenter_is_measured_before_and_after_the_product_cleans_its_mask(
    models: Path,
) -> None:
    results = published(models, "segmenter")["results"]
    for found in (results, results["product"]):
        assert found["report_fold"]["pictures"] == 14
        assert found["isic2017_validation"]["pictures"] == 3
        assert found["report_fold"]["jaccard_percentiles"].keys() >= {"5", "50"}
        assert found["report_fold"]["labels"].keys() >= {"mel", "nv"}
    assert results["product"]["report_fold"]["without_outline"] <= 14
    assert (
        results["report_fold"]["mean_jaccard"] != results["product"]["report_fold"]["mean_jaccard"]
    )


def test_smaller_copies_stand_on_the_card_where_there_are_any(models: Path) -> None:
    (found,) = published(models, "classifier")["results"]["variants"]
    assert found.items() > VARIANT.items()
    assert found["variant_of"] != "0" * 64
    cards = [
        (release.folder(models, name) / "MODEL_CARD.md").read_text() for name in evaluate.EVALUATE
    ]
    assert ["model.int8.onnx" in card for card in cards] == [True, False]


def test_the_headline_is_the_report_folds(models: Path) -> None:
    found = published(models, "classifier")
    report = found["results"]["report_fold"]
    assert found["headline"]["balanced_accuracy"] == report["balanced_accuracy"]["value"]
    assert (
        found["headline"]["suspicious_specificity"] == report["suspicious"]["specificity"]["value"]
    )


def test_a_model_that_does_not_exist_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        evaluate.main(["--only", "oracle"])
    assert "invalid choice: 'oracle'" in capsys.readouterr().err
