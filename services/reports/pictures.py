"""Encoded pictures in, what print needs out: bounded, scaled down, as JPEG."""

import io

from PIL import Image

from services import layers, picture
from services.reports.errors import InvalidReportError

_DPI = 200
_POINTS_AN_INCH = 72
_JPEG_QUALITY = 85


def decode(
    encoded: bytes, field: str, formats: frozenset[str], max_pixels: int, side_px: int
) -> Image.Image:
    """Decode a picture, upright, no larger than needed.

    Args:
        encoded: a whole file.
        field: where it came from, for the error's words.
        formats: what is accepted there, among ``"jpeg"`` and ``"png"``.
        max_pixels: refuse larger ones before decoding.
        side_px: what the longer side is scaled down to.

    Raises:
        InvalidReportError: it cannot be read, it is too large or of another format.

    """
    try:
        read = picture.read(encoded, at_least=side_px, max_pixels=max_pixels)
    except picture.PictureError as error:
        raise InvalidReportError(field, str(error)) from error
    if read.format not in formats:
        raise InvalidReportError(field, f"must be {' or '.join(sorted(formats)).upper()}")
    read.pixels.thumbnail((side_px, side_px), reducing_gap=2.0)
    return read.pixels


def side_px(width: float) -> int:
    """Return the pixels that print needs for a length in points."""
    return round(width / _POINTS_AN_INCH * _DPI)


def with_outline(shown: Image.Image, mask: Image.Image | None) -> bytes:
    """Return a picture, with the outline of the lesion where one was found, as JPEG."""
    return _jpeg(layers.outline(shown, mask) if mask else shown)


def with_heat(shown: Image.Image, weights: Image.Image) -> bytes:
    """Return a picture under its heat map, as JPEG."""
    return _jpeg(layers.heat(shown, weights))


def _jpeg(shown: Image.Image) -> bytes:
    buffer = io.BytesIO()
    shown.save(buffer, "JPEG", quality=_JPEG_QUALITY, optimize=True)
    return buffer.getvalue()
