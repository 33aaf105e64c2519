"""Hairs and rulers are thin lines over a picture, never over all of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from weights import artefacts, augment

SKIN = np.full((128, 128, 3), 170, np.uint8)


@pytest.mark.parametrize("draw", [artefacts.hair, artefacts.ruler])
def test_lines_cover_a_small_part_and_leave_the_rest_as_it_was(
    draw: Callable[[np.random.Generator, np.ndarray], np.ndarray],
) -> None:
    changed = [
        np.mean((draw(np.random.default_rng(seed), SKIN) != SKIN).any(axis=2)) for seed in range(40)
    ]
    assert np.median(changed) > 0.01
    assert max(changed) < 0.35


def test_the_picture_that_was_given_stays_as_it_is() -> None:
    artefacts.hair(np.random.default_rng(1), SKIN)
    assert (SKIN == 170).all()


def test_the_mask_knows_nothing_of_hairs() -> None:
    lined = augment.STRONG._replace(hair=1.0, ruler=1.0)
    images, masks = augment.pairs(
        np.random.default_rng(2), SKIN[None], np.zeros((1, 128, 128), np.uint8), 128, lined
    )
    assert np.ptp(images) > 20
    assert not masks.any()


def test_half_the_pictures_get_what_half_shall_get() -> None:
    some = augment.Strength(hair=0.5)
    shown = augment.pictures(np.random.default_rng(3), np.stack([SKIN] * 200), 128, some)
    lined = np.ptp(shown, axis=(1, 2)).max(axis=1) > 5
    assert lined.mean() == pytest.approx(0.5, abs=0.1)
