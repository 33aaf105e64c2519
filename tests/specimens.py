"""Pictures that the project may ship because it draws them: skin with a pigmented spot.

They look enough like dermoscopy for the road to be driven with them; nothing about
accuracy is ever measured on them.
"""

import io

import numpy as np
from PIL import Image

SIZE = (600, 450)
"""Width and height in pixels, as HAM10000 has them."""


def lesion(size: tuple[int, int] = SIZE, seed: int = 7) -> Image.Image:
    """Draw a brown spot with an uneven border, inner structure and a few hairs on skin."""
    rng = np.random.default_rng(seed)
    width, height = size
    x, y = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    angle = np.arctan2(y, x)
    reach = 0.48 + 0.05 * np.sin(3 * angle + 1) + 0.03 * np.sin(7 * angle)
    inside = 1 / (1 + np.exp((np.hypot(x, y * 0.85) - reach) * 22))
    skin = np.array([214, 165, 145]) - 12 * np.hypot(x, y)[..., None]
    spot = (
        np.array([112, 66, 48]) + 26 * np.sin(14 * x + 3 * y)[..., None] * np.cos(11 * y)[..., None]
    )
    pixels = skin * (1 - inside[..., None]) + spot * inside[..., None]
    for _ in range(4):
        slope, offset = rng.uniform(-0.6, 0.6, 2)
        pixels[np.abs(y - slope * x - offset) < 0.006] *= 0.45
    pixels += rng.normal(0, 5, pixels.shape)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8), "RGB")


def encoded(picture: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    """Encode a picture as a file's bytes."""
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def lesion_jpeg(size: tuple[int, int] = SIZE, seed: int = 7) -> bytes:
    """Return a specimen as a JPEG file."""
    return encoded(lesion(size, seed), quality=92)
