import hashlib
import json
from pathlib import Path

import pytest

from services.inference import model_file
from services.inference.model_file import ModelError, ModelFile
from tests import tiny_models


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_models.publish(tiny_models.classifier(), tmp_path / "classifier" / "1")


def model_in(folder: Path) -> ModelFile:
    return model_file.read(folder / "model.onnx")


def test_an_accepted_variant_names_the_model_that_it_stands_in_for(folder: Path) -> None:
    tiny_models.publish_variant(tiny_models.classifier(), folder, "int8")
    variant = model_file.variant(model_in(folder), "int8")
    assert variant.precision == "int8"
    assert variant.variant_of == model_in(folder).sha256
    assert variant.sha256 == hashlib.sha256(variant.content).hexdigest() != variant.variant_of


@pytest.mark.parametrize(
    ("verdict", "sentence"),
    [
        ({"accepted": False, "why": "it is worse"}, "was not accepted: it is worse"),
        ({"accepted": "yes"}, "was not accepted"),
        ({"variant_of": "0" * 64}, "made of another model file"),
        ({"sha256": "0" * 64}, "about another file"),
    ],
)
def test_a_variant_without_a_verdict_on_this_very_file_is_refused(
    folder: Path, verdict: dict[str, object], sentence: str
) -> None:
    tiny_models.publish_variant(tiny_models.classifier(), folder, "int8", **verdict)
    with pytest.raises(ModelError, match=sentence):
        model_file.variant(model_in(folder), "int8")


def test_a_variant_that_is_not_the_published_file_is_refused(folder: Path) -> None:
    tiny_models.publish_variant(tiny_models.classifier(), folder, "int8")
    with (folder / "model.int8.onnx").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(ModelError, match="not the published model"):
        model_file.variant(model_in(folder), "int8")


def test_a_model_without_variants_says_so(folder: Path) -> None:
    with pytest.raises(ModelError, match="has no int8 variant"):
        model_file.variant(model_in(folder), "int8")


@pytest.mark.parametrize("content", ["", "{", "[1]", json.dumps([{"kind": "int8"}])])
def test_verdicts_that_cannot_be_read_are_named(folder: Path, content: str) -> None:
    (folder / "variants.json").write_text(content)
    with pytest.raises(ModelError, match=r"variants\.json cannot be used"):
        model_file.variant(model_in(folder), "int8")


def test_a_verdict_names_no_file_outside_the_folder(folder: Path) -> None:
    (folder / "variants.json").write_text(json.dumps([{"file": "../model.int8.onnx"}]))
    with pytest.raises(ModelError, match="has no int8 variant"):
        model_file.variant(model_in(folder), "int8")
