"""A picture with something laid over it: the outline of a mask, or a heat map.

What people look at in pages, reports and on the command line is drawn here, so that the
same record looks the same everywhere.
"""

from PIL import Image, ImageChops, ImageFilter

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
    reach = 2 * max(1, round(max(base.size) / 400)) + 1
    grown = inside.filter(ImageFilter.MaxFilter(reach))
    border = ImageChops.subtract(grown, inside)
    return Image.composite(Image.new("RGB", base.size, OUTLINE_COLOR), base, border)


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
