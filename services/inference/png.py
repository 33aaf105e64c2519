"""Drawings in levels of gray as PNG files (W3C PNG, third edition).

OpenCV writes them too, by way of a compressor that takes several times as long.
"""

import struct
from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt
from isal import isal_zlib

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_GRAY_8_BIT: Final = bytes((8, 0, 0, 0, 0))
"""Eight bits a pixel, gray, and the only compression, filtering and order of rows there are."""

_LEVEL = 1
"""Level 0 is faster still, and makes the file of a mask several times as large."""


class Filter(IntEnum):
    """What of a row is written; what suits a drawing makes it small."""

    NONE = 0
    """The row as it is."""

    UP = 2
    """By how much it differs from the row above."""


def encode(pixels: npt.NDArray[np.uint8], each_row: Filter) -> bytes:
    """Write an 8-bit grayscale PNG file.

    Args:
        pixels: uint8, H x W.
        each_row: what of it is written.

    """
    height, width = pixels.shape
    packed = isal_zlib.compress(_rows(pixels, each_row).data, _LEVEL)
    header = struct.pack(">II", width, height) + _GRAY_8_BIT
    parts = (_chunk(b"IHDR", header), _chunk(b"IDAT", packed), _chunk(b"IEND", b""))
    return _SIGNATURE + b"".join(parts)


def _rows(pixels: npt.NDArray[np.uint8], each_row: Filter) -> npt.NDArray[np.uint8]:
    height, width = pixels.shape
    rows = np.empty((height, 1 + width), np.uint8)
    rows[:, 0] = each_row
    rows[:, 1:] = pixels
    if each_row is Filter.UP:
        rows[1:, 1:] -= pixels[:-1]
    return rows


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = isal_zlib.crc32(content, isal_zlib.crc32(kind))
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)
