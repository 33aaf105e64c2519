"""A picture is kept as pixels only: decoded once, turned upright, encoded anew.

So nothing that came along is kept or passed on: no position, no name of a camera's owner, no
thumbnail, no second file hidden behind the first (OWASP ASVS 5.0, 5.2.2 and 5.2.6).
"""

import hashlib
import io
from dataclasses import dataclass

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile, get_sampling

from services import picture
from services.gateway import errors

_FULL = 0
"""Pillow's number for color in full resolution (4:4:4)."""

# What is tried in turn until the file is small enough for inference. The first is nearly
# lossless, and faster than anything that packs better.
_ATTEMPTS: dict[str, tuple[dict[str, int], ...]] = {
    "jpeg": (
        {"quality": 95},
        {"quality": 90},
        {"quality": 85, "subsampling": 2},
    ),
    "png": ({"compress_level": 1}, {"compress_level": 6}),
}


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A picture file that we wrote.

    Attributes:
        encoded: the file.
        sha256: of the file, in hexadecimal.
        width: in pixels, upright.
        height: in pixels, upright.
        format: ``"jpeg"`` or ``"png"``, as it came.

    """

    encoded: bytes
    sha256: str
    width: int
    height: int
    format: str


def rewrite(uploaded: bytes, max_bytes: int, max_pixels: int, max_side: int) -> Rewritten:
    """Decode a picture file and write it anew. Takes milliseconds to seconds: not for the loop.

    Args:
        uploaded: a file from outside.
        max_bytes: the largest file, before and after.
        max_pixels: the most pixels; looked at before any is decoded.
        max_side: the longest side in pixels.

    Raises:
        InvalidPictureError: not one still JPEG or PNG, or damaged.
        TooLargeError: too many bytes or pixels.

    """
    try:
        read = picture.read(uploaded, max_bytes=max_bytes, max_pixels=max_pixels, max_side=max_side)
    except picture.PictureTooLargeError as error:
        raise errors.TooLargeError(_sentence(error)) from error
    except picture.PictureError as error:
        raise errors.InvalidPictureError(_sentence(error)) from error
    encoded = _encode(read.pixels, read.format, max_bytes)
    sha256 = hashlib.sha256(encoded).hexdigest()
    return Rewritten(encoded, sha256, read.width, read.height, read.format)


def _encode(pixels: Image.Image, kind: str, max_bytes: int) -> bytes:
    for options in _ATTEMPTS[kind]:
        file = io.BytesIO()
        # A PNG has no such thing, and its writer ignores it.
        pixels.save(file, kind, **{"subsampling": _sampling(pixels), **options})
        if file.tell() <= max_bytes:
            return file.getvalue()
    raise errors.TooLargeError(
        f"The picture has more than {max_bytes:,} bytes when it is written anew. "
        "Send a smaller one, or a JPEG."
    )


def _sampling(pixels: Image.Image) -> int:
    """Return the resolution of color that a JPEG came with: more would only cost time and room.

    What was turned has full resolution on both sides, and so has anything unusual.
    """
    if isinstance(pixels, JpegImageFile):
        return max(_FULL, get_sampling(pixels))
    return _FULL


def _sentence(error: picture.PictureError) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."
