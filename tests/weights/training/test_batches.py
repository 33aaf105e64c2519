"""A batch is drawn fairly, mixed as told, and the same again for the same seed."""

from __future__ import annotations

import numpy as np
import pytest

from tests.weights.training.tiny import PLAN, pool
from weights.training.batches import ClassifierBatches, SegmenterBatches
from weights.training.config import Config, Phase
from weights.training.pictures import Pool
from weights.training.segmenter_task import drawn_shares

FOUR = np.full(4, 0.25)


def test_centre_crops_never_tell_the_label() -> None:
    frames = Pool(np.zeros((14, 8, 8, 3), np.uint8), np.repeat(np.arange(7), 2))
    crops = Pool(np.full((14, 8, 8, 3), 200, np.uint8), np.repeat(np.arange(7), 2))
    plan = Config(phases=(Phase(8, 1),), batch=700, epoch_pictures=700, crop_share=0.5)
    images, targets = ClassifierBatches(plan, 0, frames, crops, np.full(7, 1 / 7))[0]
    cropped = images.mean(axis=(1, 2, 3)) > 100
    assert [cropped[targets[:, k] == 1].mean() for k in range(7)] == pytest.approx(
        [0.5] * 7, abs=0.2
    )


def test_the_same_epoch_brings_the_same_batches_and_another_epoch_others() -> None:
    first, again, later = (
        ClassifierBatches(PLAN, epoch, pool(), pool(), FOUR)[1][0] for epoch in (0, 0, 1)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, later)


@pytest.mark.parametrize("option", ["cut_mix", "mix_up"])
def test_mixed_batches_have_mixed_targets(option: str) -> None:
    plan = PLAN.model_copy(update={option: 1.0, "batch": 64})
    images, targets = ClassifierBatches(plan, 0, pool(), pool(), FOUR)[0]
    assert images.shape == (64, 16, 16, 3)
    assert images.dtype == np.float32
    assert targets.sum(axis=1) == pytest.approx(1)
    assert ((targets > 0).sum(axis=1) == 2).any()
    assert ClassifierBatches(PLAN, 0, pool(), pool(), FOUR)[0][1].max(axis=1).min() == 1


@pytest.mark.parametrize("option", ["hair", "ruler"])
def test_artefacts_are_drawn_only_when_asked_for(option: str) -> None:
    plan = PLAN.model_copy(update={"phases": (Phase(64, 1),), option: 1.0})
    blank = Pool(np.full((8, 64, 64, 3), 128, np.uint8), np.repeat(np.arange(4), 2))
    lined = ClassifierBatches(plan, 0, blank, blank, FOUR)[0][0]
    plain = ClassifierBatches(plan.model_copy(update={option: 0.0}), 0, blank, blank, FOUR)[0][0]
    assert (np.ptp(lined, axis=(1, 2)).max(axis=1) > 10).all()
    assert np.ptp(plain, axis=(1, 2)).max() == 0


def test_masks_drawn_by_hand_come_as_often_as_told() -> None:
    shares = drawn_shares([True] * 2 + [False] * 6, 0.4)
    assert shares[:2].sum() == pytest.approx(0.4)
    assert shares.sum() == pytest.approx(1)
    assert drawn_shares([False] * 4, 0.4).tolist() == [0.25] * 4


def test_a_mask_comes_with_its_own_picture() -> None:
    images = np.zeros((4, 16, 16, 3), np.uint8)
    images[::2] = 255
    masks = images[..., 0].copy()
    plan = PLAN.model_copy(update={"hair": 0.0})
    shown, outlines = SegmenterBatches(plan, 0, images, masks, FOUR)[0]
    assert outlines.shape == (4, 16, 16, 1)
    bright = shown.mean(axis=(1, 2, 3)) > 127
    assert (outlines.mean(axis=(1, 2, 3)) == bright).all()
