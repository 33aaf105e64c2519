import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from services.inference import imaging
from tests import specimens

GOLDEN = Path(__file__).parents[1] / "weights" / "golden_resize.npz"
"""The same file that the workshop's tests hold their resize against."""


def test_every_size_comes_from_one_decoding_of_the_whole_frame() -> None:
    view = imaging.view(specimens.lesion_jpeg((1200, 400)), frozenset({64, 224}))
    assert (view.width, view.height) == (1200, 400)
    assert view.tensors[64].shape == (64, 64, 3)
    assert view.tensors[224].shape == (224, 224, 3)


def test_shrinking_while_decoding_changes_the_tensor_by_less_than_a_level() -> None:
    source = specimens.lesion((1600, 1200))
    whole = imaging.stored(imaging.squash(source, 224)).astype(int)
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


def test_fine_detail_is_averaged_and_not_skipped() -> None:
    stripes = np.zeros((448, 448, 3), np.uint8)
    stripes[:, ::2] = 200
    tensor = imaging.squash(Image.fromarray(stripes), 112)
    assert abs(float(tensor[8:-8, 8:-8].mean()) - 100) < 1
    assert float(tensor[8:-8, 8:-8].std()) < 3


def test_the_models_see_a_picture_as_the_files_of_training_held_it() -> None:
    source = specimens.lesion()
    view = imaging.view(specimens.encoded(source, "PNG"), frozenset({224}))
    file = specimens.encoded(Image.fromarray(imaging.squash(source, 224)), quality=75)
    np.testing.assert_array_equal(view.tensors[224], np.asarray(Image.open(io.BytesIO(file))))


def test_a_picture_that_was_stored_before_is_hardly_changed_by_storing_it_again() -> None:
    once = imaging.stored(imaging.squash(specimens.lesion(), 224)).astype(int)
    twice = imaging.stored(once.astype(np.uint8)).astype(int)
    assert np.abs(twice - once).mean() < 0.05


def test_grain_that_no_eye_sees_does_not_reach_the_models() -> None:
    tensor = imaging.stored(imaging.squash(specimens.lesion(), 224)).astype(int)
    grain = np.random.default_rng(7).integers(-1, 2, tensor.shape)
    grainy = np.clip(tensor + grain, 0, 255).astype(np.uint8)
    changed = imaging.stored(grainy).astype(int)
    assert np.abs(changed - tensor).mean() < 0.1 * np.abs(grain).mean()
