import io

import numpy as np
import pytest
from PIL import Image

from services.inference import lesion

SIZE = (600, 450)


def disc(radius: float, center: tuple[float, float] = (0.5, 0.5)) -> np.ndarray:
    """A round soft mask of a 4:3 picture, squashed to the square that the models see."""
    y, x = np.mgrid[0:224, 0:224] / 224
    distance = np.hypot((x - center[0]) * 4 / 3, y - center[1])
    soft: np.ndarray = np.clip(0.5 + (radius - distance) * 20, 0, 1).astype(np.float32)
    return soft


def tensor() -> np.ndarray:
    return np.full((224, 224, 3), (120, 80, 60), np.uint8)


def find(mask: np.ndarray, pixels: np.ndarray | None = None) -> lesion.Lesion:
    found = lesion.find(mask, tensor() if pixels is None else pixels, SIZE)
    assert found is not None
    return found


def test_a_disc_is_round_symmetric_and_as_large_as_drawn() -> None:
    found = find(disc(0.3))
    assert found.area_fraction == pytest.approx(np.pi * 0.09 * 3 / 4, rel=0.02)
    assert found.asymmetry < 0.02
    assert found.border_irregularity < 0.05


def test_the_bounding_box_is_in_pixels_of_the_original() -> None:
    found = lesion.find(disc(0.2, (0.25, 0.5)), tensor(), (6000, 4500))
    assert found is not None
    assert found.bounding_box == pytest.approx((600, 1350, 1800, 1800), abs=40)


@pytest.mark.parametrize("scale", [1, 3, 10])
def test_the_mask_covers_what_was_measured_at_any_scale(scale: int) -> None:
    size = (SIZE[0] * scale, SIZE[1] * scale)
    found = lesion.find(disc(0.1), tensor(), size)
    assert found is not None
    mask = np.asarray(Image.open(io.BytesIO(lesion.mask_png(found, size)))) > 0
    assert mask.mean() == pytest.approx(found.area_fraction, rel=0.01)
    rows, columns = np.nonzero(mask)
    x, y, width, height = found.bounding_box
    assert (columns.min(), rows.min()) == (x, y)
    assert (columns.max() + 1, rows.max() + 1) == (x + width, y + height)


def test_a_thread_of_a_lesion_has_measures_too() -> None:
    thread = np.zeros((224, 224), np.float32)
    thread[100:102, 20:200] = 1
    found = lesion.find(thread, tensor(), (600, 4))
    assert found is None or 0 <= found.border_irregularity <= 1


def test_only_the_largest_region_stays_and_its_holes_are_filled() -> None:
    ring = disc(0.3) - disc(0.1)
    ring[5:15, 5:15] = 1
    found = find(ring)
    assert found.area_fraction == pytest.approx(find(disc(0.3)).area_fraction, rel=0.01)
    png = np.asarray(Image.open(io.BytesIO(lesion.mask_png(found, SIZE))))
    assert png[225, 300] == 255
    assert png[10, 20] == 0


@pytest.mark.parametrize("mask", [np.zeros((224, 224), np.float32), disc(0.01)])
def test_nothing_or_next_to_nothing_is_no_lesion(mask: np.ndarray) -> None:
    assert lesion.find(mask, tensor(), SIZE) is None


def test_a_half_disc_is_less_symmetric_than_a_disc() -> None:
    half = disc(0.35)
    half[:, :112] = 0
    half[112:, :] *= 0.0
    assert find(half).asymmetry > 0.1


def test_a_star_has_a_more_irregular_border_than_a_disc() -> None:
    y, x = np.mgrid[0:224, 0:224] / 224 - 0.5
    reach = 0.25 + 0.12 * np.sin(9 * np.arctan2(y, x))
    star = (np.hypot(x, y) < reach).astype(np.float32)
    assert find(star).border_irregularity > find(disc(0.25)).border_irregularity + 0.3


def test_two_colors_vary_more_than_one() -> None:
    two = tensor()
    two[:, 112:] = (40, 20, 20)
    assert find(disc(0.3)).color_variegation == pytest.approx(0, abs=1e-3)
    assert find(disc(0.3), two).color_variegation > 0.1


def test_a_lesion_that_fills_the_frame_is_measured() -> None:
    found = find(np.ones((224, 224), np.float32))
    assert found.area_fraction == pytest.approx(1)
    assert found.bounding_box == (0, 0, 600, 450)


@pytest.mark.parametrize("columns", [(20, 154), (55, 154), (56, 168)])
def test_the_bounding_box_is_that_of_the_drawn_mask(columns: tuple[int, int]) -> None:
    soft = np.zeros((224, 224), np.float32)
    soft[64:160, columns[0] : columns[1]] = 1
    found = find(soft)
    drawn = np.asarray(Image.open(io.BytesIO(lesion.mask_png(found, SIZE))))
    rows, filled = np.nonzero(drawn)
    x, y = int(filled.min()), int(rows.min())
    width, height = int(filled.max()) + 1 - x, int(rows.max()) + 1 - y
    assert found.bounding_box == (x, y, width, height)
