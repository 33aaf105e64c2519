"""The product is asked through its real command, with tiny models of its own contract."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from tests import specimens, tiny_models
from weights.evaluation import product


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.write_models(tmp_path_factory.mktemp("models"))


def test_lesions_are_assessed_strangers_refused_and_rubbish_is_unreadable(models: Path) -> None:
    files = {
        "z.jpg": specimens.lesion_jpeg(),
        "flat.png": specimens.encoded(Image.new("RGB", (300, 300), "gray"), "PNG"),
        "a.jpg": b"not a picture",
    }
    lesion, flat, rubbish = product.judge(models, files)
    assert not lesion.refused
    assert lesion.probabilities is not None
    assert lesion.probabilities.sum() == pytest.approx(1)
    assert "low_contrast" in flat.reasons
    assert flat.probabilities is None
    assert rubbish.reasons == (product.UNREADABLE,)


def test_outlines_come_when_they_are_asked_for(models: Path) -> None:
    (judged,) = product.judge(models, {"one.jpg": specimens.lesion_jpeg()}, masks=True)
    mask = judged.mask(90, 120)
    assert mask.shape == (90, 120)
    assert mask[45, 60]
    assert not mask[0, 0]
    (silent,) = product.judge(models, {"one.jpg": specimens.lesion_jpeg()})
    assert not silent.mask(90, 120).any()


def test_a_folder_without_models_is_an_error_not_a_refusal(tmp_path: Path) -> None:
    with pytest.raises(product.ProductError, match="status 2"):
        product.judge(tmp_path, {"one.jpg": specimens.lesion_jpeg()})


def test_a_server_that_is_set_is_not_asked(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DERMSERVE_SERVER", "http://127.0.0.1:1")
    (judged,) = product.judge(models, {"one.jpg": specimens.lesion_jpeg()})
    assert not judged.refused
