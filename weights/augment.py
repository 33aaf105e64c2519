"""Augmentation that leaves a lesion's colours honest.

Dermoscopy has no up and no left: flips and quarter turns are free. Size, place
and light vary a little between devices; hue is diagnostic and moves least.
Everything works on uint8 batches and moves the masks with their pictures.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np

from weights import artefacts


class Strength(NamedTuple):
    """How far a picture may move, as shares of 1; how often it gets an artefact."""

    zoom: float = 0.2
    shift: float = 0.08
    rotation: float = 15.0  # degrees beyond the quarter turns
    brightness: float = 0.12
    contrast: float = 0.15
    color: float = 0.05
    hair: float = 0.0
    ruler: float = 0.0


MODERATE = Strength()
STRONG = Strength(zoom=0.3, shift=0.1, rotation=45.0, brightness=0.12, contrast=0.2, color=0.06)


Motion = Callable[[np.ndarray], np.ndarray]
"""Moves a picture (HxWx3), and in the same way its mask (HxW)."""


def motion(rng: np.random.Generator, side: int, size: int, strength: Strength) -> Motion:
    """Draw one way to move a picture of ``side`` pixels onto ``size`` pixels.

    A flip and quarter turns, then a small zoom, shift and rotation. Going from
    the cached size to the training size happens in the same sampling step; the
    border is mirrored, so no black corners appear.
    """
    quarters, flip = int(rng.integers(4)), bool(rng.integers(2))
    scale = size / side * np.exp(rng.uniform(-strength.zoom, strength.zoom))
    angle = rng.uniform(-strength.rotation, strength.rotation)
    middle = (side - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), angle, scale)
    shift = rng.uniform(-strength.shift, strength.shift, 2) * size
    matrix[:, 2] += (size - 1) / 2 - middle + shift

    def move(pixels: np.ndarray) -> np.ndarray:
        turned = np.rot90(pixels, quarters)
        turned = np.ascontiguousarray(turned[:, ::-1] if flip else turned)
        moved: np.ndarray = cv2.warpAffine(
            turned, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
        )
        return moved

    return move


def light(rng: np.random.Generator, image: np.ndarray, strength: Strength) -> np.ndarray:
    """Change brightness, contrast and the gains of red, green and blue a little."""
    gain = np.exp(rng.uniform(-strength.contrast, strength.contrast))
    gains = gain * np.exp(rng.uniform(-strength.color, strength.color, 3))
    offset = 255 * rng.uniform(-strength.brightness, strength.brightness)
    # Contrast turns around middle grey, so that it does not also brighten.
    levels = np.arange(256)[:, None]
    table = np.clip((levels - 127.5) * gains + 127.5 + offset, 0, 255).astype(np.uint8)
    lit: np.ndarray = cv2.LUT(image, table[None])
    return lit


def soil(rng: np.random.Generator, image: np.ndarray, strength: Strength) -> np.ndarray:
    """Draw hairs, a ruler, both or neither over a picture (uint8 SxSx3)."""
    for chance, draw in ((strength.hair, artefacts.hair), (strength.ruler, artefacts.ruler)):
        # No chance is asked for what never happens: other draws stay the same.
        if chance and rng.random() < chance:
            image = draw(rng, image)
    return image


def pictures(
    rng: np.random.Generator, images: np.ndarray, size: int, strength: Strength = MODERATE
) -> np.ndarray:
    """Move, soil and light each picture in its own way: uint8 NxSxSx3 to ``size``."""
    moves = [motion(rng, images.shape[1], size, strength) for _ in images]
    return _shown(rng, images, moves, strength)


def pairs(
    rng: np.random.Generator,
    images: np.ndarray,
    masks: np.ndarray,
    size: int,
    strength: Strength = MODERATE,
) -> tuple[np.ndarray, np.ndarray]:
    """Move masks (uint8 NxSxS) with their pictures; soil and light only the pictures."""
    moves = [motion(rng, images.shape[1], size, strength) for _ in images]
    shown = _shown(rng, images, moves, strength)
    return shown, np.stack([move(mask) for move, mask in zip(moves, masks, strict=True)])


def _shown(
    rng: np.random.Generator, images: np.ndarray, moves: list[Motion], strength: Strength
) -> np.ndarray:
    return np.stack(
        [
            light(rng, soil(rng, move(image), strength), strength)
            for move, image in zip(moves, images, strict=True)
        ]
    )


def resized(images: np.ndarray, size: int) -> np.ndarray:
    """Return a batch (NxSxSx3) at ``size``, each pixel the average of those it covers."""
    if images.shape[1] == size:
        return images
    smaller = size < images.shape[1]
    how = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return np.stack([cv2.resize(image, (size, size), interpolation=how) for image in images])


def cut_mix(
    rng: np.random.Generator, images: np.ndarray, targets: np.ndarray, alpha: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Paste a box of the next picture into each; share targets by area.

    ``targets`` is float (N, labels). Source: Yun et al., CutMix, arXiv:1905.04899.
    """
    size = images.shape[1]
    side = round(size * float(np.sqrt(1 - rng.beta(alpha, alpha))))
    top, left = rng.integers(0, size - side + 1, 2)
    box = np.s_[:, top : top + side, left : left + side]
    mixed = images.copy()
    mixed[box] = np.roll(images, 1, axis=0)[box]
    share = np.float32(side * side / (size * size))
    return mixed, (1 - share) * targets + share * np.roll(targets, 1, axis=0)


def mix_up(
    rng: np.random.Generator, images: np.ndarray, targets: np.ndarray, alpha: float = 0.2
) -> tuple[np.ndarray, np.ndarray]:
    """Blend each picture with the next, and their targets alike; pictures float32.

    ``targets`` is float (N, labels). Source: Zhang et al., mixup, arXiv:1710.09412.
    """
    share = np.float32(rng.beta(alpha, alpha))
    mixed = (1 - share) * images + share * np.roll(images, 1, axis=0)
    return mixed.astype(np.float32), (1 - share) * targets + share * np.roll(targets, 1, axis=0)
