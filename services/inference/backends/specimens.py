"""Pictures that backends are compared on: drawn, because no patient's may be shipped."""

import cv2
import numpy as np

from services.inference.backends.backend import Backend, BackendError, Tensor

_COUNT = 3

_SKIN = np.array([205, 150, 135], np.float32)
_SPOT = np.array([128, 84, 66], np.float32)


def size_for(backend: Backend) -> int:
    """Return the height and width in pixels of what a backend's model takes.

    Raises:
        BackendError: its metadata do not say.

    """
    try:
        return int(backend.metadata["input_size"])
    except (KeyError, ValueError) as error:
        raise BackendError("the metadata of the model have no usable 'input_size'") from error


def drawn(size: int) -> list[Tensor]:
    """Draw skin with a pigmented spot, a few times.

    Args:
        size: height and width in pixels.

    Returns:
        uint8 arrays, 1 x size x size x 3, RGB.

    """
    return [_drawn(size, np.random.default_rng(seed))[None] for seed in range(_COUNT)]


def _drawn(size: int, rng: np.random.Generator) -> Tensor:
    x, y = np.meshgrid(np.linspace(-1, 1, size), np.linspace(-1, 1, size))
    waves = sum(
        rng.uniform(0.02, 0.08) * np.sin(count * np.arctan2(y, x) + rng.uniform(0, 6))
        for count in (2, 3, 7)
    )
    distance = np.hypot(x, y)
    inside = 1 / (1 + np.exp((distance - rng.uniform(0.35, 0.6) - waves) * 16))[..., None]
    skin = _SKIN - 14 * distance[..., None] ** 2 + 5 * _texture(rng, size, 12)
    spot = _SPOT + 9 * _texture(rng, size, 40) + 10 * _texture(rng, size, 8)
    pixels: Tensor = np.clip(skin * (1 - inside) + spot * inside, 0, 255).astype(np.uint8)
    return pixels


def _texture(rng: np.random.Generator, size: int, cells: int) -> Tensor:
    """Return smooth noise of unit variance, so many spots wide."""
    coarse = rng.normal(0, 1, (cells, cells)).astype(np.float32)
    smooth = cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)
    return np.expand_dims(smooth, -1)
