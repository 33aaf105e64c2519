import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from services.inference import imaging
from tests import specimens
from weights import dataset

GOLDEN = Path(__file__).parents[1] / "weights" / "golden_resize.npz"
"""The same file that the workshop's tests hold their resize against."""


def test_every_size_comes_from_one_decoding_of_the_whole_frame() -> None:
    view = imaging.view(specimens.lesion_jpeg((1200, 400)), frozenset({64, 224}))
    assert (view.width, view.height) == (1200, 400)
    assert view.tensors[64].shape == (64, 64, 3)
    assert view.tensors[224].shape == (224, 224, 3)


def test_shrinking_while_decoding_changes_the_tensor_by_less_than_a_level() -> None:
    source = specimens.lesion((1600, 1200))
    whole = np.asarray(imaging.stored(source)).astype(int)
    view = imaging.view(specimens.encoded(source, "JPEG", quality=98), frozenset({224}))
    assert np.abs(view.tensors[224].astype(int) - whole).mean() < 1


@pytest.mark.parametrize("size", [(90, 70), (224, 224)])
def test_a_small_picture_is_enlarged(size: tuple[int, int]) -> None:
    view = imaging.view(specimens.encoded(specimens.lesion(size), "PNG"), frozenset({224}))
    assert view.tensors[224].shape == (224, 224, 3)


def test_a_picture_becomes_the_tensor_that_training_made_of_it() -> None:
    golden = np.load(GOLDEN)
    tensor = imaging.squash(Image.fromarray(golden["picture"]), 224)
    np.testing.assert_array_equal(tensor, golden["tensor"])


def test_a_foreign_picture_is_judged_by_the_workshop_as_it_is_here() -> None:
    picture = specimens.lesion((600, 450))
    view = imaging.view(specimens.encoded(picture, "PNG"), frozenset({192}))
    np.testing.assert_array_equal(dataset.resize_foreign(picture, 192), view.tensors[192])


def test_fine_detail_is_averaged_and_not_skipped() -> None:
    stripes = np.zeros((448, 448, 3), np.uint8)
    stripes[:, ::2] = 200
    tensor = imaging.squash(Image.fromarray(stripes), 112)
    assert abs(float(tensor[8:-8, 8:-8].mean()) - 100) < 1
    assert float(tensor[8:-8, 8:-8].std()) < 3


@pytest.mark.parametrize("size", [192, 224])
def test_a_picture_goes_the_way_of_a_training_picture_by_its_file(size: int) -> None:
    source = specimens.lesion()
    view = imaging.view(specimens.encoded(source, "PNG"), frozenset({size}))
    file = specimens.encoded(source.resize((224, 224), Image.Resampling.LANCZOS), quality=75)
    expected = imaging.squash(Image.open(io.BytesIO(file)), size)
    np.testing.assert_array_equal(view.tensors[size], expected)


def test_a_picture_that_was_stored_before_is_hardly_changed_by_storing_it_again() -> None:
    once = imaging.stored(specimens.lesion())
    twice = imaging.stored(once)
    assert np.abs(np.asarray(twice).astype(int) - np.asarray(once)).mean() < 0.05


def test_grain_that_no_eye_sees_does_not_reach_the_models() -> None:
    file = np.asarray(imaging.stored(specimens.lesion())).astype(int)
    grain = np.random.default_rng(7).integers(-1, 2, file.shape)
    grainy = Image.fromarray(np.clip(file + grain, 0, 255).astype(np.uint8))
    changed = np.asarray(imaging.stored(grainy)).astype(int)
    assert np.abs(changed - file).mean() < 0.1 * np.abs(grain).mean()
