"""Encoded bytes from outside become one upright RGB picture, or a sentence that says why not.

The file's own words about itself (name, content type) are never believed: its content is
read, its size is known before a pixel is decoded, and nothing but pixels leaves here.
"""

import io
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = {"JPEG": "jpeg", "MPO": "jpeg", "PNG": "png"}
"""What is accepted, by Pillow's name and ours.

MPO is what phones write: a JPEG with more pictures behind it, such as a gain map for bright
screens. The first one is the photo; the others are left behind.
"""

MAX_BYTES = 16 * 1024 * 1024
MAX_PIXELS = 64_000_000

# The bound above holds before decoding; Pillow's own would warn on stderr below it.
Image.MAX_IMAGE_PIXELS = None

_SIXTEEN_BIT = ("I;16", "I;16B", "I;16L", "I")
_WHITE = (255, 255, 255, 255)


class PictureError(Exception):
    """These bytes cannot be used as a picture; the message says why and what to do."""


class PictureTooLargeError(PictureError):
    """The file has too many bytes, or the picture too many pixels."""


@dataclass(frozen=True, slots=True)
class Picture:
    """An upright picture: RGB pixels and what was known of the file.

    Attributes:
        pixels: mode RGB. May be smaller than the original when a smaller one was asked for.
        width: of the upright original, in pixels.
        height: of the upright original, in pixels.
        format: ``"jpeg"`` or ``"png"``.

    """

    pixels: Image.Image
    width: int
    height: int
    format: str


def read(
    encoded: bytes,
    *,
    at_least: int | None = None,
    max_bytes: int = MAX_BYTES,
    max_pixels: int = MAX_PIXELS,
) -> Picture:
    """Decode one still JPEG or PNG, turn it upright and bring it to 8-bit RGB.

    Transparent pixels are shown over white; 16-bit values keep their upper byte; CMYK and
    palettes become RGB.

    Args:
        encoded: the whole file.
        at_least: both sides may shrink while decoding, down to this many pixels; only JPEG
            can, by powers of two, and it saves most of the time that a large one costs.
        max_bytes: the largest file that is read.
        max_pixels: the most pixels that are decoded.

    Raises:
        PictureTooLargeError: too many bytes or pixels.
        PictureError: empty, not JPEG or PNG, animated, or damaged.

    """
    image = _open(encoded, max_bytes, max_pixels)
    width, height = image.size
    if at_least is not None:
        image.draft("RGB", (at_least, at_least))
    try:
        upright = ImageOps.exif_transpose(image)
    except (OSError, SyntaxError, ValueError) as error:
        message = "the picture is damaged or cut off: export or send it again"
        raise PictureError(message) from error
    if (upright.width > upright.height) != (image.width > image.height):
        width, height = height, width
    return Picture(_as_rgb(upright), width, height, FORMATS[str(image.format)])


def _open(encoded: bytes, max_bytes: int, max_pixels: int) -> Image.Image:
    if not encoded:
        raise PictureError("the file is empty: send one JPEG or PNG picture")
    if len(encoded) > max_bytes:
        raise PictureTooLargeError(
            f"the file has {len(encoded):,} bytes: send at most {max_bytes:,}"
        )
    try:
        image = Image.open(io.BytesIO(encoded), formats=("JPEG", "PNG"))
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise PictureError("this is not a JPEG or PNG picture: send one of these") from error
    if image.width * image.height > max_pixels:
        raise PictureTooLargeError(
            f"the picture has {image.width} x {image.height} pixels: "
            f"send at most {max_pixels / 1e6:g} megapixels"
        )
    if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
        raise PictureError("the picture is animated: send one still picture")
    return image


def _as_rgb(image: Image.Image) -> Image.Image:
    if image.mode in _SIXTEEN_BIT:
        # convert("L") would clip at 255 instead of scaling.
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L").convert("RGB")
    if image.has_transparency_data:
        layered = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, _WHITE), layered).convert("RGB")
    return image.convert("RGB")
