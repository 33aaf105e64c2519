"""Encoded pictures in, what print needs out: bounded, scaled down, as JPEG."""

import io

from PIL import Image

from services import layers, picture
from services.reports.errors import InvalidReportError

_DPI = 200
_POINTS_AN_INCH = 72
_JPEG_QUALITY = 85
_PHOTOS = frozenset({"jpeg", "png"})
_LAYERS = frozenset({"png"})


def outlined(image: bytes, mask_png: bytes, field: str, max_pixels: int, width: float) -> bytes:
    """Return a picture with its outline as JPEG, as large as print needs at a width.

    Args:
        image: JPEG or PNG.
        mask_png: empty without a mask.
        field: of the message that both stand in, for the error's words.
        max_pixels: refuse larger ones before decoding.
        width: in points.

    Raises:
        InvalidReportError: one cannot be read, is too large or of another format.

    """
    side = side_px(width)
    shown = decode(image, f"{field}.image", _PHOTOS, max_pixels, side)
    if not mask_png:
        return with_outline(shown, None)
    return with_outline(shown, decode(mask_png, f"{field}.mask_png", _LAYERS, max_pixels, side))


def logo(encoded: bytes, field: str, max_pixels: int, width: float) -> bytes:
    """Return a logo as PNG, for JPEG would blur its edges; nothing for nothing.

    Raises:
        InvalidReportError: it cannot be read, is too large or of another format.

    """
    if not encoded:
        return b""
    buffer = io.BytesIO()
    decode(encoded, field, _PHOTOS, max_pixels, side_px(width)).save(buffer, "PNG")
    return buffer.getvalue()


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
