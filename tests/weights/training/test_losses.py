"""The losses fall as the answer gets better, whatever the labels' numbers."""

from __future__ import annotations

import numpy as np
import pytest

from weights.training import losses

COUNTS = [100, 25, 4, 4, 4, 4, 4]


def test_common_labels_are_drawn_by_the_root_of_their_number() -> None:
    shares = losses.label_shares(np.repeat(np.arange(7), COUNTS))
    assert shares[0] / shares[1] == pytest.approx(2)
    assert shares.sum() == pytest.approx(1)


@pytest.mark.parametrize(("power", "ratio"), [(0.0, 1), (0.25, 2**0.5), (1.0, 4)])
def test_the_power_says_how_much_a_labels_number_counts(power: float, ratio: float) -> None:
    shares = losses.label_shares(np.repeat(np.arange(7), COUNTS), power)
    assert shares[0] / shares[1] == pytest.approx(ratio)


def test_a_label_without_pictures_is_never_drawn() -> None:
    shares = losses.label_shares(np.array([0, 0, 1]), 0.0)
    assert shares.tolist() == [0.5, 0.5, 0, 0, 0, 0, 0]


def test_a_common_label_must_earn_no_less_logit_than_a_rare_one() -> None:
    loss = losses.adjusted_cross_entropy(np.array([0.9, 0.1]), smoothing=0.0)
    undecided = np.zeros((1, 2), np.float32)
    common = float(loss(np.array([[1.0, 0.0]], np.float32), undecided))
    rare = float(loss(np.array([[0.0, 1.0]], np.float32), undecided))
    assert common == pytest.approx(-np.log(0.9), abs=1e-5)
    assert rare == pytest.approx(-np.log(0.1), abs=1e-5)


def test_the_overlap_loss_falls_as_the_mask_fits() -> None:
    mask = np.zeros((1, 4, 4, 1), np.float32)
    mask[0, :2] = 1
    right, wrong = 20 * mask - 10, 10 - 20 * mask
    assert float(losses.overlap_loss(mask, right)) < 0.01
    assert float(losses.overlap_loss(mask, wrong)) > 5
