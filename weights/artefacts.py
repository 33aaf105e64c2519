"""What lies on skin in dermoscopy and is no lesion: hairs and rulers, drawn.

A network that meets them on every label learns to look past them. They are plain
lines, drawn into the picture only: the lesion and its mask are where they were.
"""

from __future__ import annotations

import cv2
import numpy as np

HAIR_COLORS = ((32, 24, 20), (58, 42, 32), (96, 70, 48), (182, 150, 112))
"""Black, dark brown, brown and fair, as RGB."""

MOST_HAIRS = 12
FRACTION_BITS = 4
"""OpenCV takes places in sixteenths of a pixel."""


def _lines(canvas: np.ndarray, points: list[np.ndarray], width: int) -> None:
    """Draw polylines (each Nx2, x and y in pixels) smoothly onto an HxW canvas."""
    fixed = [np.round(line * 2**FRACTION_BITS).astype(np.int32) for line in points]
    cv2.polylines(canvas, fixed, False, 255, width, cv2.LINE_AA, FRACTION_BITS)  # noqa: FBT003 - not closed


def _paint(
    image: np.ndarray, cover: np.ndarray, color: tuple[int, ...], opacity: float
) -> np.ndarray:
    """Lay ``color`` over ``image`` where ``cover`` (uint8 HxW) says."""
    share = cover[..., None].astype(np.float32) * (opacity / 255)
    painted: np.ndarray = np.round(image * (1 - share) + np.array(color, np.float32) * share)
    return painted.astype(np.uint8)


def curve(rng: np.random.Generator, size: int) -> np.ndarray:
    """Return a bent hair across a part of the picture: 24x2, a quadratic Bézier curve."""
    start = rng.uniform(0, size, 2)
    angle, length = rng.uniform(0, 2 * np.pi), rng.uniform(0.25, 0.9) * size
    end = start + length * np.array([np.cos(angle), np.sin(angle)])
    bend = (start + end) / 2 + rng.normal(0, 0.15 * length, 2)
    t = np.linspace(0, 1, 24)[:, None]
    points: np.ndarray = (1 - t) ** 2 * start + 2 * t * (1 - t) * bend + t**2 * end
    return points


def hair(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """Draw up to `MOST_HAIRS` hairs of one colour over a picture (uint8 SxSx3)."""
    size = image.shape[0]
    cover = np.zeros((size, size), np.uint8)
    for _ in range(int(rng.integers(1, MOST_HAIRS + 1))):
        width = max(1, round(size * rng.uniform(0.003, 0.01)))
        _lines(cover, [curve(rng, size)], width)
    color = HAIR_COLORS[int(rng.integers(len(HAIR_COLORS)))]
    return _paint(image, cover, color, rng.uniform(0.6, 0.95))


def ruler(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """Draw a scale along one edge of a picture (uint8 SxSx3): long and short ticks."""
    size = image.shape[0]
    step, offset = size * rng.uniform(0.03, 0.07), size * rng.uniform(0.01, 0.08)
    short = size * rng.uniform(0.02, 0.04)
    cover = np.zeros((size, size), np.uint8)
    for number, place in enumerate(np.arange(0, size, step)):
        reach = offset + short * (2 if number % 5 == 0 else 1)
        _lines(cover, [np.array([[place, offset], [place, reach]])], max(1, size // 160))
    shade = int(rng.choice([20, 235]))
    turned = np.ascontiguousarray(np.rot90(cover, int(rng.integers(4))))
    return _paint(image, turned, (shade, shade, shade), rng.uniform(0.5, 0.9))
