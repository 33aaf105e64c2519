"""A map that tells the truth passes the deletion test; one that lies does not."""

from __future__ import annotations

import numpy as np
import pytest

from weights.classifier import LABELS
from weights.evaluation import deletion

SIDE = 64


def spots(count: int = 12) -> np.ndarray:
    """Light pictures with one dark spot each, away from the middle."""
    rng = np.random.default_rng(0)
    images = np.full((count, SIDE, SIDE, 3), 200, np.uint8)
    for image in images:
        y, x = rng.integers(0, 16, 2) + rng.integers(0, 2, 2) * 32
        image[y : y + 16, x : x + 16] = 40
    return images


def sees_darkness(images: np.ndarray, sign: float = 1) -> dict[str, np.ndarray]:
    """Answer label 0 by how much is dark; the map shows where (or, negated, where not)."""
    dark = (200.0 - images.mean(axis=3)) / 160
    probabilities = np.zeros((len(images), len(LABELS)))
    probabilities[:, 0] = 0.5 + dark.mean(axis=(1, 2))
    grid = dark.reshape(len(images), 4, 16, 4, 16).mean(axis=(2, 4))
    explanation = np.zeros((len(images), 4, 4, len(LABELS)))
    explanation[..., 0] = sign * grid
    return {"probabilities": probabilities, "explanation": explanation}


def test_a_true_map_costs_more_than_every_control() -> None:
    images = spots()
    found = deletion.measure(sees_darkness, images, [str(k) for k in range(len(images))])
    assert found["pictures"] == len(images)
    assert found["map"]["drop"]["value"] > 0.04
    for control in found["controls"].values():
        assert control["difference"]["low"] > 0
        assert control["map_drops_more"]["value"] > 0.8


def test_a_map_of_the_opposite_costs_less() -> None:
    images = spots()
    found = deletion.measure(
        lambda shown: sees_darkness(shown, -1), images, [str(k) for k in range(len(images))]
    )
    assert found["controls"]["moved"]["difference"]["high"] < 0


def test_every_region_is_of_the_same_size() -> None:
    rng = np.random.default_rng(1)
    found = deletion.regions(rng.normal(size=(7, 7)), 224, rng)
    assert {name: int(region.sum()) for name, region in found.items()} == dict.fromkeys(
        ("map", *deletion.CONTROLS), round(0.2 * 224**2)
    )


def test_a_region_lies_where_the_map_is_highest() -> None:
    grid = np.zeros((4, 4))
    grid[3, 0] = 1
    marked = deletion.highest(grid, SIDE)
    assert marked[56, 8]
    assert not marked[8, 56]


def test_what_is_painted_over_becomes_skin_and_the_rest_stays() -> None:
    image = np.full((SIDE, SIDE, 3), (220, 170, 150), np.uint8)
    image[:32, :32] = (60, 40, 30)
    region = np.zeros((SIDE, SIDE), bool)
    region[:32, :32] = True
    painted = deletion.painted(image, region, deletion.skin_color(image))
    assert deletion.skin_color(image) == pytest.approx([220, 170, 150])
    assert painted[10, 10].tolist() == [220, 170, 150]
    assert painted[50, 50].tolist() == [220, 170, 150]
    assert deletion.painted(image, ~region & region, np.zeros(3)).tolist() == image.tolist()
