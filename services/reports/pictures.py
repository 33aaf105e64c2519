"""Encoded pictures in, what print needs out: bounded, scaled down, as JPEG."""

import io

from PIL import Image, ImageOps

from services import layers
from services.reports.errors import InvalidReportError

_DPI = 200
_POINTS_AN_INCH = 72
_JPEG_QUALITY = 85


def decode(
    data: bytes, field: str, kinds: tuple[str, ...], max_pixels: int, side_px: int
) -> Image.Image:
    """Decode a picture, upright, no larger than needed.

    Args:
        data: an encoded picture.
        field: where it came from, for the error's words.
        kinds: the formats to accept, as Pillow names them.
        max_pixels: refuse larger ones before decoding.
        side_px: what the longer side is scaled down to.

    Raises:
        InvalidReportError: it cannot be read, or it is too large.

    """
    try:
        picture = Image.open(io.BytesIO(data), formats=kinds)
        too_large = picture.width * picture.height > max_pixels
        if not too_large:
            return _upright(picture, side_px)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        too_large = True
    except Exception as error:  # decoders raise whatever broken bytes lead them to
        fault = f"cannot be read as {' or '.join(kinds)}"
        raise InvalidReportError(field, fault) from error
    raise InvalidReportError(field, f"is larger than {max_pixels} pixels")


def side_px(width: float) -> int:
    """Return the pixels that print needs for a length in points."""
    return round(width / _POINTS_AN_INCH * _DPI)


def with_outline(picture: Image.Image, mask: Image.Image | None) -> bytes:
    """Return a picture, with the outline of the lesion where one was found, as JPEG."""
    return _jpeg(layers.outline(picture, mask) if mask else picture.convert("RGB"))


def with_heat(picture: Image.Image, weights: Image.Image) -> bytes:
    """Return a picture under its heat map, as JPEG."""
    return _jpeg(layers.heat(picture, weights))


def _upright(picture: Image.Image, side: int) -> Image.Image:
    # For JPEG, lets the decoder itself halve the picture: large ones decode much faster.
    picture.draft(None, (side, side))
    upright = ImageOps.exif_transpose(picture)
    if upright.mode not in {"L", "RGB"}:
        upright = upright.convert("RGB")
    upright.thumbnail((side, side), reducing_gap=2.0)
    return upright


def _jpeg(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=_JPEG_QUALITY, optimize=True)
    return buffer.getvalue()
