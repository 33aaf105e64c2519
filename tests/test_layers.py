"""What is laid over a picture, on pictures small enough to count pixels."""

import random
from itertools import pairwise

from PIL import Image, ImageChops, ImageFilter

from services import layers

SKIN = (200, 160, 140)


def plain(size: tuple[int, int] = (40, 30)) -> Image.Image:
    return Image.new("RGB", size, SKIN)


def square_mask() -> Image.Image:
    mask = Image.new("L", (40, 30))
    mask.paste(255, (10, 10, 20, 20))
    return mask


def test_the_outline_runs_around_the_mask_and_nowhere_else() -> None:
    drawn = layers.outline(plain(), square_mask())
    assert drawn.getpixel((9, 15)) == layers.OUTLINE_COLOR
    assert drawn.getpixel((20, 15)) == layers.OUTLINE_COLOR
    for untouched in ((10, 10), (15, 15), (8, 15), (0, 0)):
        assert drawn.getpixel(untouched) == SKIN


def test_an_empty_mask_draws_nothing() -> None:
    assert layers.outline(plain(), Image.new("L", (4, 3))).tobytes() == plain().tobytes()


def test_a_mask_of_another_size_is_stretched_over_the_picture() -> None:
    drawn = layers.outline(plain((80, 60)), square_mask())
    assert drawn.size == (80, 60)
    assert drawn.getpixel((19, 30)) == layers.OUTLINE_COLOR


def test_the_outline_is_as_thick_on_every_side_and_at_the_edges_as_the_filter_of_squares() -> None:
    chance = random.Random(1)  # noqa: S311 - draws pictures, not secrets
    for width, height in ((40, 30), (1, 7), (900, 5), (1600, 12)):
        mask = Image.new("L", (width, height))
        for _ in range(12):
            spot = (chance.randrange(width), chance.randrange(height))
            mask.putpixel(spot, chance.choice((90, 255)))
        reach = 2 * max(1, round(width / 400)) + 1
        border = ImageChops.subtract(mask.filter(ImageFilter.MaxFilter(reach)), mask)
        expected = plain((width, height))
        expected.paste(layers.OUTLINE_COLOR, mask=border)
        assert layers.outline(plain((width, height)), mask).tobytes() == expected.tobytes()


def test_no_heat_leaves_the_picture_as_it_is() -> None:
    assert layers.heat(plain(), Image.new("L", (4, 3))).tobytes() == plain().tobytes()


def test_the_hottest_place_shows_the_hottest_color() -> None:
    hottest = layers.heat_palette()[-3:]
    drawn = layers.heat(plain(), Image.new("L", (4, 3), 255)).getpixel((20, 15))
    assert isinstance(drawn, tuple)
    for shown, skin, hot in zip(drawn, SKIN, hottest, strict=True):
        assert abs(shown - (0.4 * skin + 0.6 * hot)) <= 1


def test_the_palette_grows_lighter_from_cold_to_hot() -> None:
    palette = layers.heat_palette()
    assert len(palette) == 3 * 256
    light = [
        0.299 * red + 0.587 * green + 0.114 * blue
        for red, green, blue in zip(palette[::3], palette[1::3], palette[2::3], strict=True)
    ]
    rounding = 1
    for colder, hotter in pairwise(light):
        assert hotter > colder - rounding
    assert light[-1] > light[0] + 100


def test_large_pictures_are_scaled_down_and_keep_their_proportions() -> None:
    drawn = layers.outline(plain((3200, 1600)), square_mask())
    assert drawn.size == (layers.MAX_SIDE_PX, layers.MAX_SIDE_PX // 2)


def test_pictures_of_any_mode_become_rgb() -> None:
    for mode in ("L", "RGBA", "P", "1"):
        assert layers.fit(Image.new(mode, (4, 4))).mode == "RGB"


def test_the_picture_that_was_given_is_not_drawn_on() -> None:
    picture = plain()
    layers.outline(picture, square_mask())
    layers.heat(picture, square_mask())
    assert picture.tobytes() == plain().tobytes()
