"""A picture with something laid over it: the outline of a mask, or a heat map.

What people look at in pages, reports and on the command line is drawn here, so that the
same record looks the same everywhere.
"""

import functools
import io

from PIL import Image, ImageChops

MAX_SIDE_PX = 1600
"""Layers are for looking at: the longer side of what is drawn is bounded by this."""

OUTLINE_COLOR = (0, 229, 255)
"""Cyan: a hue that neither skin nor lesions have."""

_SOLID = 255
_HEAT_OPACITY = 0.6
# Dark violet over red to pale yellow: monotone in lightness, so that it also reads in
# grayscale print and for color-blind eyes.
_HEAT_STOPS = ((20, 11, 53), (101, 21, 110), (187, 55, 84), (237, 105, 37), (252, 200, 60))


def fit(picture: Image.Image) -> Image.Image:
    """Return a picture as RGB, scaled down if needed to ``MAX_SIDE_PX``."""
    fitted = picture.convert("RGB")
    fitted.thumbnail((MAX_SIDE_PX, MAX_SIDE_PX), reducing_gap=2.0)
    return fitted


def outline(picture: Image.Image, mask: Image.Image) -> Image.Image:
    """Draw the border of a mask on a picture.

    Args:
        picture: any mode and size.
        mask: 8-bit grayscale of any size, white inside.

    Returns:
        RGB, at most ``MAX_SIDE_PX`` on its longer side.

    """
    base = fit(picture)
    inside = mask.convert("L").resize(base.size, Image.Resampling.NEAREST)
    border = ImageChops.subtract(_grown(inside, max(1, round(max(base.size) / 400))), inside)
    base.paste(OUTLINE_COLOR, mask=border)
    return base


def _grown(mask: Image.Image, by_px: int) -> Image.Image:
    """Return the lightest value around each pixel, in a square that reaches so far.

    Row by row, then column by column: that takes a tenth of what Pillow's own filter takes,
    which looks at the whole square of each pixel.
    """
    width, height = mask.size
    for right, down in ((1, 0), (0, 1)):
        # What lies outside of a picture is black, and so never the lightest.
        moved = (
            mask.crop((right * by, down * by, width + right * by, height + down * by))
            for by in range(-by_px, by_px + 1)
        )
        mask = functools.reduce(ImageChops.lighter, moved)
    return mask


def heat(picture: Image.Image, weights: Image.Image) -> Image.Image:
    """Lay a heat map over a picture; where a weight is 0 the picture shows unchanged.

    Args:
        picture: any mode and size.
        weights: 8-bit grayscale of any size, 255 the hottest.

    Returns:
        RGB, at most ``MAX_SIDE_PX`` on its longer side.

    """
    base = fit(picture)
    level = weights.convert("L").resize(base.size, Image.Resampling.BILINEAR)
    colors = level.copy()
    colors.putpalette(heat_palette())
    opacity = level.point([round(_HEAT_OPACITY * value) for value in range(256)])
    return Image.composite(colors.convert("RGB"), base, opacity)


def png(drawn: Image.Image) -> bytes:
    """Encode what was drawn: quickly, for it is looked at once and not kept."""
    file = io.BytesIO()
    drawn.save(file, "PNG", compress_level=1)
    return file.getvalue()


def heat_palette() -> list[int]:
    """Return the 256 colors of the heat map, cold to hot, as r, g, b in turn."""
    palette: list[int] = []
    spans = len(_HEAT_STOPS) - 1
    for value in range(_SOLID + 1):
        position = value / _SOLID * spans
        low = min(int(position), spans - 1)
        share = position - low
        for cold, hot in zip(_HEAT_STOPS[low], _HEAT_STOPS[low + 1], strict=True):
            palette.append(round(cold + (hot - cold) * share))
    return palette
