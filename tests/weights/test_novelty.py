"""Novelty is small at home and large abroad."""

from __future__ import annotations

import numpy as np
import pytest

from weights import novelty

HOME = np.random.default_rng(0).normal(0, 1, (2000, 4)) * [30, 20, 1, 0.5] + 7


def test_novelty_is_one_at_home_on_average() -> None:
    assert novelty.fit(HOME).novelty(HOME).mean() == pytest.approx(1, abs=0.01)


def test_a_step_counts_by_how_unusual_it_is_not_by_how_long() -> None:
    familiar = novelty.fit(HOME)
    along, across = np.array([[67.0, 7, 7, 7]]), np.array([[7.0, 7, 17, 7]])
    assert familiar.novelty(along)[0] < 2
    assert familiar.novelty(across)[0] > 20


def test_an_axis_without_any_spread_does_not_refuse_everything() -> None:
    flat = HOME.copy()
    flat[:, 3] = 5.0
    assert np.isfinite(novelty.fit(flat).novelty(HOME[:3])).all()


def test_the_threshold_refuses_no_more_than_it_may() -> None:
    assert novelty.threshold(np.arange(100.0), 0.01) >= 98
