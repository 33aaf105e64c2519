"""Encoded bytes from outside become one upright RGB picture, or a sentence that says why not.

The file's own words about itself (name, content type) are never believed: its content is
read, its size is known before a pixel is decoded, and nothing but pixels leaves here.
"""

import ctypes
import io
import re
import struct
import zlib
from dataclasses import dataclass

from PIL import ExifTags, Image

FORMATS = {"JPEG": "jpeg", "MPO": "jpeg", "PNG": "png"}
"""What is accepted, by Pillow's name and ours.

MPO is what phones write: a JPEG with more pictures behind it, such as a gain map for bright
screens. The first one is the photo; the others are left behind.
"""

MAX_BYTES = 16 * 1024 * 1024
MAX_PIXELS = 64_000_000
MAX_SIDE = 32_768

MAX_SCANS = 64
"""A progressive JPEG brings its picture in scans, each as dear to decode as the whole; cameras
and editors write ten or so. Without a bound, a small file could keep a core busy for hours."""

_MAX_SEGMENTS = 10_000
"""What a JPEG may have besides its scans, with every byte between the segments before the first of
them: Pillow goes through those in Python. Its longest color profile takes 255."""

# The bounds above hold before decoding; Pillow's own would warn on stderr below them.
Image.MAX_IMAGE_PIXELS = None

# Their numbers in malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGE_BLOCK_BYTES = 4 * 1024 * 1024
_KEPT_BYTES = 32 * 1024 * 1024

_MAX_CHUNKS = 100_000
"""What a PNG may have: Pillow goes through them in Python. Encoders put 8 KiB and more into one."""

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_END_OF_PNG = b"IEND"
_JPEG_SIGNATURE = b"\xff\xd8\xff"
_START_OF_SCAN = b"\xff\xda"
_END_OF_IMAGE = b"\xff\xd9"
# What begins a segment with a length: before the first scan as Pillow has it, then as libjpeg does.
_BEFORE_SCANS = re.compile(rb"\xff[\xc0-\xc7\xc9-\xcf\xda-\xef\xfe]")
_AMONG_SCANS = re.compile(rb"\xff[\xc0-\xcf\xd9-\xfe]")
_SIXTEEN_BIT = ("I;16", "I;16B", "I;16L", "I")
_REDUCIBLE = ("L", "LA", "RGB", "RGBA")
_WHITE = (255, 255, 255)

# Decoders raise all of these at broken bytes.
_DECODER_ERRORS = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
_PALETTE_ERRORS = (AssertionError, ValueError)
"""What converting raises where the list of colors is missing, or too short."""

_DAMAGED = "the picture is damaged or cut off: export or send it again"

# What brings a picture upright, by its EXIF orientation (CIPA DC-008, 4.6.4 A).
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_FIRST_SIDEWAYS = 5


class PictureError(Exception):
    """These bytes cannot be used as a picture; the message says why and what to do.

    Attributes:
        reason: the same in a word for machines.

    """

    reason = "unusable_picture"


class PictureTooLargeError(PictureError):
    """The file has too many bytes, or the picture too many pixels."""

    reason = "too_large"


@dataclass(frozen=True, slots=True)
class Picture:
    """An upright picture: RGB pixels and what was known of the file.

    Attributes:
        pixels: mode RGB, without any metadata. May be smaller than the original when a
            smaller one was asked for.
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
    max_side: int = MAX_SIDE,
) -> Picture:
    """Decode one still JPEG or PNG, turn it upright and bring it to 8-bit RGB.

    Transparent pixels are shown over white; 16-bit values keep their upper byte; CMYK and
    palettes become RGB.

    Args:
        encoded: the whole file.
        at_least: both sides may shrink by whole factors, down to this many pixels. It saves
            most of the time that a large JPEG costs, and most of the memory of a large PNG.
        max_bytes: the largest file that is read.
        max_pixels: the most pixels that are decoded.
        max_side: the most pixels of a side.

    Raises:
        PictureTooLargeError: too many bytes or pixels.
        PictureError: empty, not JPEG or PNG, animated, or damaged.

    """
    if not encoded:
        raise PictureError("the file is empty: send one JPEG or PNG picture")
    if len(encoded) > max_bytes:
        raise PictureTooLargeError(
            f"the file has {len(encoded):,} bytes: send at most {max_bytes:,}"
        )
    if encoded.startswith(_JPEG_SIGNATURE):
        _refuse_endless(encoded)
    elif encoded.startswith(_PNG_SIGNATURE):
        _refuse_endless_chunks(encoded)
    image = _open(encoded)
    _refuse_too_large(image, max_pixels, max_side)
    if image.format == "PNG" and getattr(image, "n_frames", 1) > 1:
        raise PictureError("the picture is animated: send one still picture")
    width, height = image.size
    orientation = _orientation(image)
    if orientation >= _FIRST_SIDEWAYS:
        width, height = height, width
    pixels = _decoded(image, encoded, at_least)
    if orientation in _TURNS:
        pixels = pixels.transpose(_TURNS[orientation])
    pixels.info = {}
    return Picture(pixels, width, height, FORMATS[str(image.format)])


def return_memory() -> None:
    """Have this process give the memory of large pictures back as soon as they are done with.

    By default glibc learns from the first large block that it should keep such blocks, and a
    single picture of many megapixels stays in the process for good. Elsewhere than on glibc
    nothing is done.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BLOCK_BYTES)
        # Setting the one brings the other down to 128 KiB: the memory of every ordinary picture
        # would go back too, and come again page by page.
        mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)


def _open(encoded: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(encoded), formats=("JPEG", "PNG"))
    except _DECODER_ERRORS as error:
        raise PictureError("this is not a JPEG or PNG picture: send one of these") from error


def _refuse_too_large(image: Image.Image, max_pixels: int, max_side: int) -> None:
    if image.width * image.height > max_pixels:
        raise PictureTooLargeError(
            f"the picture has {image.width} x {image.height} pixels: "
            f"send at most {max_pixels / 1e6:g} megapixels"
        )
    if max(image.size) > max_side:
        raise PictureTooLargeError(
            f"the picture has {image.width} x {image.height} pixels: "
            f"send at most {max_side:,} a side"
        )


def _refuse_endless(encoded: bytes) -> None:
    """Refuse a JPEG of too many segments or scans, which costs hardly anything of any other.

    What only looks like a scan is none: color profiles, thumbnails and the film that phones put
    behind a photo have those two bytes by chance, once in 64 KiB.
    """
    at, segments, scans = len(_START_OF_SCAN), 0, 0
    may_be_endless = encoded.count(_START_OF_SCAN) > MAX_SCANS
    while not scans or may_be_endless:
        found = (_AMONG_SCANS if scans else _BEFORE_SCANS).search(encoded, at)
        begin = found.start() if found else len(encoded)
        segments += 1 if scans else 1 + begin - at
        if segments > _MAX_SEGMENTS:
            raise PictureError("the picture has too many segments: export it again")
        if found is None or found.group() == _END_OF_IMAGE:
            return
        scans += found.group() == _START_OF_SCAN
        if scans > MAX_SCANS:
            raise PictureError("the picture comes in too many scans: export it again")
        at = found.end()
        at += max(int.from_bytes(encoded[at : at + 2]), 2)


def _refuse_endless_chunks(encoded: bytes) -> None:
    """Refuse a PNG of too many chunks: each has its length, its name and a checksum besides."""
    at = len(_PNG_SIGNATURE)
    for _ in range(_MAX_CHUNKS):
        if at >= len(encoded) or encoded.startswith(_END_OF_PNG, at + 4):
            return
        at += 12 + int.from_bytes(encoded[at : at + 4])
    raise PictureError("the picture has too many chunks: export it again")


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except _DECODER_ERRORS:
        # A camera's broken notes are no reason to refuse its picture.
        return 1


def _decoded(image: Image.Image, encoded: bytes, at_least: int | None) -> Image.Image:
    try:
        if image.format == "PNG":
            _check(encoded)
        if at_least is not None:
            image.draft("RGB", (at_least, at_least))
        image.load()
    except _DECODER_ERRORS as error:
        raise PictureError(_DAMAGED) from error
    factor = min(image.size) // at_least if at_least else 1
    try:
        if factor > 1 and image.mode in _REDUCIBLE:
            # Before any copy is made: a transparent picture of many megapixels needs several.
            return _as_rgb(image.reduce(factor))
        return _as_rgb(image)
    except _PALETTE_ERRORS as error:
        raise PictureError(_DAMAGED) from error


def _check(encoded: bytes) -> None:
    """Compare a PNG's checksums; decoding does not, and would show wrong pixels as if right."""
    with Image.open(io.BytesIO(encoded), formats=("PNG",)) as copy:
        copy.verify()


def _as_rgb(image: Image.Image) -> Image.Image:
    if image.mode in _SIXTEEN_BIT:
        # convert("L") would clip at 255 instead of scaling.
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L").convert("RGB")
    if image.has_transparency_data:
        layered = image.convert("RGBA")
        shown = Image.new("RGB", image.size, _WHITE)
        shown.paste(layered, mask=layered)
        return shown
    return image if image.mode == "RGB" else image.convert("RGB")
