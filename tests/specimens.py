"""Pictures that the project may ship because it draws them: skin with a pigmented spot.

They look enough like dermoscopy for the road to be driven with them; nothing about
accuracy is ever measured on them.
"""

import functools
import io
import struct
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

SIZE = (600, 450)
"""Width and height in pixels, as HAM10000 has them."""

SKIN = (205, 150, 135)
SPOT = (128, 84, 66)

_Plane = npt.NDArray[np.floating[Any]]


def lesion(size: tuple[int, int] = SIZE, seed: int = 7) -> Image.Image:
    """Draw a brown spot with an uneven border and inner structure on skin."""
    rng = np.random.default_rng(seed)
    scale = max(size) / max(SIZE)
    x, y = np.meshgrid(np.linspace(-4 / 3, 4 / 3, size[0]), np.linspace(-1, 1, size[1]))
    distance = np.hypot(x, y)
    inside = _inside(np.arctan2(y, x), distance, rng)[..., None]
    tone = 5 * _texture(rng, size, 60 * scale) + 3 * _texture(rng, size, 9 * scale)
    network = 9 * _texture(rng, size, 7 * scale) + 10 * _texture(rng, size, 40 * scale)
    skin = np.array(SKIN) - 14 * distance[..., None] ** 2 + tone[..., None]
    spot = np.array(SPOT) - 22 * (1 - distance / 0.6)[..., None]
    spot = spot + network[..., None] * np.array([1, 0.85, 0.75])
    pixels = np.clip(skin * (1 - inside) + spot * inside, 0, 255).astype(np.uint8)
    return Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(0.8 * scale))


def bluish(picture: Image.Image) -> Image.Image:
    """Return a picture with its reds and blues exchanged."""
    red, green, blue = picture.split()
    return Image.merge("RGB", (blue, green, red))


def encoded(picture: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    """Encode a picture as a file's bytes."""
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def png_header(width: int, height: int) -> bytes:
    """Return a PNG of a few dozen bytes that claims to be of a size, and has no pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        check = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body


# Drawing one takes longer than most of what tests ask of it.
@functools.lru_cache(maxsize=64)
def lesion_jpeg(size: tuple[int, int] = SIZE, seed: int = 7) -> bytes:
    """Return a specimen as a JPEG file."""
    return encoded(lesion(size, seed), quality=92)


def _inside(angle: _Plane, distance: _Plane, rng: np.random.Generator) -> _Plane:
    """Return 1 in the spot, 0 on skin, and a soft edge between them."""
    reach: _Plane = np.full_like(angle, 0.5)
    for waves, height in ((2, 0.06), (3, 0.04), (7, 0.02)):
        reach = reach + height * np.sin(waves * angle + rng.uniform(0, 2 * np.pi))
    soft: _Plane = 1 / (1 + np.exp((distance - reach) * 16))
    return soft


def _texture(rng: np.random.Generator, size: tuple[int, int], cell: float) -> _Plane:
    """Return smooth noise of unit variance whose spots are about ``cell`` pixels wide."""
    step = max(1, int(cell))
    coarse = rng.normal(0, 1, (size[1] // step + 2, size[0] // step + 2)).astype(np.float32)
    return np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC))
