"""Augmentation moves masks with pictures and leaves colours honest."""

from __future__ import annotations

import numpy as np

from weights import augment


def bright_disc(side: int = 96) -> tuple[np.ndarray, np.ndarray]:
    """Return a picture with one bright off-centre disc, and the disc's mask."""
    rows, columns = np.mgrid[:side, :side]
    inside = (rows - 0.4 * side) ** 2 + (columns - 0.6 * side) ** 2 < (0.2 * side) ** 2
    image = np.where(inside[..., None], 220, 40).astype(np.uint8).repeat(3, axis=2)
    return image, (255 * inside).astype(np.uint8)


def test_the_mask_moves_with_its_picture() -> None:
    image, mask = bright_disc()
    images, masks = augment.pairs(
        np.random.default_rng(1), np.stack([image] * 20), np.stack([mask] * 20), 64
    )
    assert images.shape == (20, 64, 64, 3)
    assert masks.shape == (20, 64, 64)
    for picture, outline in zip(images, masks, strict=True):
        shown = picture.mean(axis=2)
        bright = shown > (shown.min() + shown.max()) / 2
        assert np.mean(bright == (outline > 127)) > 0.99


def test_every_draw_of_chance_is_another_picture_and_the_same_draw_the_same() -> None:
    image, _ = bright_disc()
    batch = np.stack([image, image])
    first = augment.pictures(np.random.default_rng(1), batch, 64)
    again = augment.pictures(np.random.default_rng(1), batch, 64)
    assert np.array_equal(first, again)
    assert not np.array_equal(first[0], first[1])


def test_light_moves_colours_a_little_and_never_wraps_around() -> None:
    image = np.array([[[0, 128, 255]]], np.uint8)
    changed = [
        augment.light(np.random.default_rng(seed), image, augment.MODERATE)[0, 0].astype(int)
        for seed in range(200)
    ]
    assert max(np.abs(color - [0, 128, 255]).max() for color in changed) < 70
    assert all(color[0] < color[1] < color[2] for color in changed)


def test_no_strength_means_only_flips_and_quarter_turns() -> None:
    image, mask = bright_disc(64)
    still = augment.Strength(0, 0, 0, 0, 0, 0)
    images, masks = augment.pairs(np.random.default_rng(2), image[None], mask[None], 64, still)
    assert np.bincount(images.ravel()).tolist() == np.bincount(image.ravel()).tolist()
    assert (masks > 0).sum() == (mask > 0).sum()


def test_cut_mix_shares_targets_by_area() -> None:
    images = np.stack([np.zeros((40, 40, 3), np.uint8), np.full((40, 40, 3), 255, np.uint8)])
    targets = np.eye(2, dtype=np.float32)
    mixed, shared = augment.cut_mix(np.random.default_rng(4), images, targets)
    white = (mixed == 255).mean(axis=(1, 2, 3))
    assert np.allclose(shared[:, 1], white)
    assert np.allclose(shared.sum(axis=1), 1)


def test_mix_up_shares_targets_as_it_shares_light() -> None:
    images = np.stack([np.zeros((8, 8, 3), np.uint8), np.full((8, 8, 3), 255, np.uint8)])
    mixed, shared = augment.mix_up(np.random.default_rng(4), images, np.eye(2, dtype=np.float32))
    assert np.allclose(mixed.mean(axis=(1, 2, 3)) / 255, shared[:, 1])
    assert 0 < shared[0, 1] < 1


def test_a_smaller_batch_averages_its_pixels() -> None:
    stripes = np.zeros((1, 8, 8, 3), np.uint8)
    stripes[:, ::2] = 200
    assert (augment.resized(stripes, 4) == 100).all()
    assert augment.resized(stripes, 8) is stripes
