"""Lesions laid over each other, tried on masks that were literally moved, turned and scaled."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from services.gateway.analyses.alignment import Alignment, aligned

SIZE = (600, 450)


def lesion(
    x: float = 280,
    y: float = 230,
    scale: float = 1,
    degrees: float = 0,
    size: tuple[int, int] = SIZE,
) -> Image.Image:
    """A mask of an egg with a bump: longer than wide, and with no symmetry."""
    outline = []
    for step in range(180):
        angle = math.tau * step / 180
        radius = 90 * (1 + 0.25 * math.cos(2 * angle) + 0.18 * math.cos(angle))
        turned = angle + math.radians(degrees)
        outline.append(
            (x + scale * radius * math.cos(turned), y + scale * radius * math.sin(turned))
        )
    mask = Image.new("L", size)
    ImageDraw.Draw(mask).polygon(outline, fill=255)
    return mask


def where(found: Alignment, x: float, y: float) -> tuple[float, float]:
    """The point of the first picture on which one of the second comes to lie."""
    a, b, c, d, e, f = found.matrix
    return a * x + c * y + e, b * x + d * y + f


@given(
    x=st.floats(200, 400),
    y=st.floats(180, 270),
    scale=st.floats(0.6, 1.2),
    degrees=st.floats(-180, 180),
)
@settings(max_examples=25, deadline=None)
def test_a_lesion_that_was_moved_turned_and_scaled_is_laid_back(
    x: float, y: float, scale: float, degrees: float
) -> None:
    found = aligned(lesion(), lesion(x, y, scale, degrees))

    assert found is not None
    assert found.overlap > 0.93
    assert found.scale == pytest.approx(1 / scale, rel=0.03)
    assert abs(math.remainder(found.rotation_degrees + degrees, 360)) < 6
    # A point on the lesion's long axis comes to lie where it was.
    tip = math.radians(degrees)
    lies = where(found, x + 60 * scale * math.cos(tip), y + 60 * scale * math.sin(tip))
    assert math.dist(lies, (280 + 60, 230)) < 8


def test_the_same_lesion_stays_as_it_is() -> None:
    found = aligned(lesion(), lesion())

    assert found is not None
    assert (found.scale, found.rotation_degrees, found.overlap) == (1, 0, 1)
    assert found.shift == pytest.approx((0, 0), abs=1e-9)


def test_a_picture_of_another_size_is_laid_over_as_well() -> None:
    found = aligned(lesion(), lesion(560, 460, 2, size=(1200, 900)))

    assert found is not None
    assert found.scale == pytest.approx(0.5, rel=0.01)
    assert where(found, 560, 460) == pytest.approx((280, 230), abs=2)


def test_a_round_lesion_is_not_turned_for_nothing() -> None:
    circle = Image.new("L", SIZE)
    ImageDraw.Draw(circle).ellipse((200, 150, 360, 310), fill=255)

    found = aligned(circle, circle.transpose(Image.Transpose.FLIP_LEFT_RIGHT))

    assert found is not None
    assert found.rotation_degrees == 0
    assert found.overlap > 0.97


def test_what_does_not_fit_says_so() -> None:
    cross = Image.new("L", SIZE)
    ImageDraw.Draw(cross).rectangle((280, 20, 300, 430), fill=255)
    ImageDraw.Draw(cross).rectangle((80, 215, 500, 235), fill=255)

    found = aligned(lesion(), cross)

    assert found is not None
    assert found.overlap < 0.6


@pytest.mark.parametrize("empty_first", [True, False])
def test_without_a_lesion_there_is_nothing_to_lay(*, empty_first: bool) -> None:
    masks = [Image.new("L", SIZE), lesion()]

    assert aligned(*(masks if empty_first else masks[::-1])) is None
