"""One command makes, judges and publishes the variants of a model."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import onnx
import pytest

from services.inference.model_file import verified
from tests import tiny_models
from tests.weights import tiny_network
from weights import graph, quantize, release, synthetic
from weights.variants import verdict

KEYS = {
    "file",
    "kind",
    "bytes",
    "sha256",
    "variant_of",
    "balanced_accuracy",
    "suspicious_sensitivity",
    "refused",
    "fp32",
    "fp32_suspicious_sensitivity",
    "fp32_refused",
    "drop",
    "median_ms",
    "fp32_median_ms",
    "accepted",
    "why",
}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    synthetic.write(folder)
    return folder


def published(models: Path) -> Path:
    return tiny_models.publish(tiny_network.classifier(), release.folder(models, "classifier"))


def made(data: Path, models: Path) -> list[dict[str, Any]]:
    quantize.main(["classifier", "--data", str(data), "--models", str(models)])
    text = (release.folder(models, "classifier") / "variants.json").read_text(encoding="utf-8")
    return list(json.loads(text))


@pytest.fixture(scope="module")
def folder(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Quantize a tiny network; return the folder of its version."""
    models = tmp_path_factory.mktemp("models")
    found = published(models)
    made(drawn, models)
    return found


@pytest.fixture(scope="module")
def verdicts(folder: Path) -> list[dict[str, Any]]:
    return list(json.loads((folder / "variants.json").read_text(encoding="utf-8")))


def test_accepted_variants_lie_beside_the_model_where_services_load_them(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == {
        "SHA256SUMS",
        "model.fp16.onnx",
        "model.int8.onnx",
        "model.onnx",
        "variants.json",
    }
    for path in folder.glob("*.onnx"):
        assert verified(path) == path.read_bytes()


def test_the_verdicts_say_what_was_measured_on_which_file(
    folder: Path, verdicts: list[dict[str, Any]]
) -> None:
    assert [entry["file"] for entry in verdicts] == ["model.int8.onnx", "model.fp16.onnx"]
    for entry in verdicts:
        content = (folder / entry["file"]).read_bytes()
        assert set(entry) - {"tried"} == KEYS
        assert entry["sha256"] == hashlib.sha256(content).hexdigest()
        assert entry["bytes"] == len(content)
        assert entry["accepted"]
        assert entry["drop"] == round(entry["fp32"] - entry["balanced_accuracy"], 4)


def test_what_was_chosen_was_chosen_on_fold_3(verdicts: list[dict[str, Any]]) -> None:
    int8, fp16 = verdicts
    assert [trial["fold"] for trial in int8["tried"]] == [3]
    assert int8["tried"][0]["recipe"] == "the whole body in eight bits"
    assert "tried" not in fp16


@pytest.mark.parametrize("kind", ["int8", "fp16"])
def test_a_variant_carries_the_words_of_its_model_and_its_own_figures(
    folder: Path, kind: str
) -> None:
    original = graph.words_of(onnx.load(folder / "model.onnx"))
    words = graph.words_of(onnx.load(folder / f"model.{kind}.onnx"))
    assert words.pop("variant") == kind
    digest = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
    assert words.pop("variant_of") == digest
    figures = json.loads(words.pop("metrics"))
    assert figures["split"] == "HAM10000 fold 4, split by lesion"
    assert "balanced_accuracy" in figures
    original.pop("metrics")
    assert words == original


def test_what_the_rule_refuses_is_removed_but_for_its_verdict(
    drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = published(tmp_path)
    before = folder / "model.int8.onnx"
    before.write_bytes(b"accepted some other day")
    release.list_checksum(before, hashlib.sha256(before.read_bytes()).hexdigest())
    monkeypatch.setitem(verdict.MOST_LOST, "balanced_accuracy", -1.0)
    entries = made(drawn, tmp_path)
    assert [entry["accepted"] for entry in entries] == [False, False]
    assert len(entries[0]["tried"]) == len(quantize.RECIPES)
    assert [path.name for path in folder.glob("*.onnx")] == ["model.onnx"]
    assert (folder / "SHA256SUMS").read_text().count("\n") == 1
    verified(folder / "model.onnx")


def test_ranges_are_learnt_from_training_pictures_of_every_label(drawn: Path) -> None:
    pictures = quantize.calibration_pictures(drawn, 14)
    assert Counter(picture.label for picture in pictures) == dict.fromkeys(tiny_models.LABELS, 2)
    assert {picture.fold for picture in pictures} <= {0, 1, 2}
