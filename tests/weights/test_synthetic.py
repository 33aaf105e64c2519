"""Drawn pictures stand in for the training data: same tables, same archives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from weights import dataset, synthetic
from weights.classifier import LABELS


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("drawn")
    synthetic.write(path, each=1)
    return path


def test_every_fold_holds_every_label(folder: Path) -> None:
    for fold in range(5):
        pictures = dataset.ham10000(folder, [fold])
        assert {picture.label for picture in pictures} == set(LABELS)


def test_pictures_crops_masks_and_outsiders_are_read_as_the_real_ones(folder: Path) -> None:
    pictures = dataset.training(folder)
    cropped = [picture for picture in pictures if picture.has_centercrop]
    assert dataset.images(folder, pictures, 64).shape == (len(pictures), 64, 64, 3)
    assert dataset.center_crops(folder, cropped, 64).shape == (len(cropped), 64, 64, 3)
    assert dataset.outsiders(folder, 64).shape[1:] == (64, 64, 3)
    assert dataset.isic2017(folder, "val")


def test_a_mask_lies_where_its_spot_is(folder: Path) -> None:
    moles = [p for p in dataset.ham10000(folder) if p.label in {"mel", "nv"}]
    images = dataset.images(folder, moles, 64).mean(axis=3)
    inside = dataset.masks(folder, moles, 64) > dataset.MIDDLE
    for image, mask in zip(images, inside, strict=True):
        assert 0.05 < mask.mean() < 0.6
        assert image[mask].mean() < image[~mask].mean() - 20


def test_the_same_seed_draws_the_same_pictures() -> None:
    first, again = (synthetic.lesion(np.random.default_rng(4), "mel", 32) for _ in range(2))
    assert np.array_equal(np.asarray(first[0]), np.asarray(again[0]))
