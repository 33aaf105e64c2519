"""The pictures are split by lesion and squashed in one way only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from weights import dataset

GOLDEN = Path(__file__).with_name("golden_resize.npz")


def test_the_resize_gives_the_golden_tensor_to_the_bit() -> None:
    with np.load(GOLDEN) as golden:
        picture, tensor = golden["picture"], golden["tensor"]
    assert picture.shape == (900, 1200, 3)
    assert np.array_equal(dataset.resize(Image.fromarray(picture), 224), tensor)


def test_the_golden_picture_has_the_values_it_had_when_training() -> None:
    with np.load(GOLDEN) as golden:
        tensor = golden["tensor"]
    assert tensor[0, 0].tolist() == [0, 0, 250]
    assert tensor[223, 223].tolist() == [254, 254, 5]
    assert tensor[100, 50].tolist() == [57, 114, 5]


def test_a_grey_picture_becomes_three_equal_channels() -> None:
    tensor = dataset.resize(Image.new("L", (50, 30), 77), 8)
    assert tensor.shape == (8, 8, 3)
    assert (tensor == 77).all()


def test_a_mask_keeps_the_share_inside_where_edges_are_averaged() -> None:
    mask = Image.fromarray(np.array([[0, 255], [255, 255]], np.uint8))
    assert dataset.resize_mask(mask, 1).tolist() == [[192]]


def test_no_lesion_stands_in_two_folds(data: Path) -> None:
    folds: dict[str, set[int | None]] = {}
    for picture in dataset.ham10000(data):
        folds.setdefault(picture.lesion, set()).add(picture.fold)
    assert len(folds) == 7470
    assert all(len(found) == 1 for found in folds.values())


def test_training_sees_neither_the_validation_nor_the_report_fold(data: Path) -> None:
    training = {picture.lesion for picture in dataset.training(data)}
    others = dataset.ham10000(data, [dataset.VALIDATION_FOLD, dataset.REPORT_FOLD])
    assert len(others) > 3000
    assert training.isdisjoint(picture.lesion for picture in others)


def test_isic_2017_flags_become_three_of_our_labels(data: Path) -> None:
    labels = [picture.label for picture in dataset.isic2017(data, "train")]
    assert len(labels) == 2000
    assert set(labels) == {"mel", "bkl", "nv"}


def test_an_unknown_split_is_named(data: Path) -> None:
    with pytest.raises(ValueError, match="no split 'exam'"):
        dataset.isic2017(data, "exam")


def test_pictures_and_masks_are_read_in_order(data: Path) -> None:
    pictures = dataset.ham10000(data, [4])[:2] + dataset.isic2017(data, "val")[:1]
    images = dataset.images(data, pictures, 64)
    masks = dataset.masks(data, pictures, 64)
    assert (images.shape, images.dtype.name) == ((3, 64, 64, 3), "uint8")
    assert (masks.shape, masks.dtype.name) == ((3, 64, 64), "uint8")
    assert np.array_equal(images[1], dataset.images(data, pictures[1:2], 64)[0])


def test_the_variable_names_the_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(dataset.DATA_VARIABLE, "/somewhere/else")
    assert dataset.data_folder() == Path("/somewhere/else")


def test_without_data_it_is_said_how_to_name_its_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=f"{tmp_path}.*--data or {dataset.DATA_VARIABLE}"):
        dataset.ham10000(tmp_path)
