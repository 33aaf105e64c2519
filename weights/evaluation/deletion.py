"""Does the explanation point at what the answer rests on? The deletion test.

Where a label's class activation map is highest, a fifth of the picture is
painted over, and the label's probability is asked again (after RISE's deletion
metric, Petsiuk et al., BMVC 2018). A map that tells the truth costs more
probability than other places of the same size. Those are chosen in three ways,
from the most to the least alike:

* ``moved``: the map's own region, turned, mirrored and shifted at random round
  the frame's edges, so that area and shape are the same;
* ``random``: the region that a map of random numbers of the same few cells gives;
* ``center``: a disc in the middle, where lesions are. Only a map that knows
  more than "the lesion is in the middle" beats it.

What is painted over becomes skin: the median color of the lighter half of the
picture, which is neither lesion nor a dark corner. Blur would leave a large
lesion's color, which is evidence itself. The edges are softened, and all
regions alike, so that a seam cannot make the difference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from weights.evaluation.progress import watched
from weights.evaluation.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from weights.evaluation.sample import Json

    Answers = Callable[[np.ndarray], dict[str, np.ndarray]]

SHARE = 0.2
"""How much of the picture is painted over."""

CONTROLS = ("moved", "random", "center")
_SOFTNESS = 0.02
"""Standard deviation of an edge's blur, as a share of the picture's side."""

_ROWS = 16


def measure(answers: Answers, images: np.ndarray, lesions: Sequence[str], seed: int = 7) -> Json:
    """Compare the map with the three controls over pictures (uint8, N x S x S x 3).

    ``answers`` runs the model and returns ``probabilities`` and ``explanation``.
    The drop is that of the probability of the label given, in 0..1.
    """
    rng = np.random.default_rng(seed)
    starts = range(0, len(images), _ROWS)
    steps = watched(starts, "Deletion test", len(starts))
    parts = [_drops(answers, images[k : k + _ROWS], rng) for k in steps]
    drops = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    sample = Sample(lesions)
    return {
        "share_deleted": SHARE,
        "pictures": len(images),
        "map": {"drop": sample.mean(drops["map"])},
        "controls": {
            name: {
                "drop": sample.mean(drops[name]),
                "difference": sample.mean(drops["map"] - drops[name]),
                "map_drops_more": sample.share(drops["map"] > drops[name]),
            }
            for name in CONTROLS
        },
    }


def _drops(answers: Answers, images: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return the drop of each picture's label for every way to choose the region."""
    before = answers(images)
    labels = before["probabilities"].argmax(axis=1)
    rows = np.arange(len(images))
    maps = before["explanation"][rows, :, :, labels]
    chosen = [regions(grid, images.shape[1], rng) for grid in maps]
    skins = [skin_color(image) for image in images]

    def drop(name: str) -> np.ndarray:
        covered = [of[name] for of in chosen]
        after = answers(np.stack(list(map(painted, images, covered, skins))))
        fallen: np.ndarray = (before["probabilities"] - after["probabilities"])[rows, labels]
        return fallen

    return {name: drop(name) for name in ("map", *CONTROLS)}


def regions(grid: np.ndarray, side: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Choose the map's region and its controls: bool, side x side, `SHARE` of it each."""
    top = highest(grid, side)
    yy, xx = np.mgrid[:side, :side] - (side - 1) / 2
    return {
        "map": top,
        "moved": moved(top, rng),
        "random": highest(rng.normal(size=grid.shape), side),
        "center": _highest_pixels(-(yy**2 + xx**2)),
    }


def highest(grid: np.ndarray, side: int) -> np.ndarray:
    """Mark the highest fifth of a small map (h x w), enlarged to side x side."""
    enlarged = cv2.resize(grid.astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC)
    return _highest_pixels(enlarged)


def _highest_pixels(values: np.ndarray) -> np.ndarray:
    count = round(SHARE * values.size)
    marked = np.zeros(values.size, bool)
    marked[np.argpartition(-values, count, axis=None)[:count]] = True
    return marked.reshape(values.shape)


def moved(region: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Turn, mirror and shift a region at random; what leaves at one edge enters at the other."""
    turned = np.rot90(region, int(rng.integers(4)))
    if rng.integers(2):
        turned = turned[:, ::-1]
    shift = rng.integers(0, region.shape[0], 2)
    return np.roll(turned, (int(shift[0]), int(shift[1])), axis=(0, 1))


def painted(image: np.ndarray, region: np.ndarray, color: np.ndarray) -> np.ndarray:
    """Paint a region (bool, S x S) of a picture (uint8, S x S x 3) in one color (3)."""
    softness = _SOFTNESS * len(image)
    weight = cv2.GaussianBlur(region.astype(np.float32), (0, 0), softness)[:, :, None]
    mixed: np.ndarray = np.rint(image * (1 - weight) + color * weight)
    return mixed.astype(np.uint8)


def skin_color(image: np.ndarray) -> np.ndarray:
    """Return the median color of a picture's lighter half: float, 3."""
    light = image.mean(axis=2)
    color: np.ndarray = np.median(image[light >= np.median(light)], axis=0)
    return color
