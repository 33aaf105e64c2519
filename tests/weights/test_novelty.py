"""Novelty is small at home and large abroad."""

from __future__ import annotations

import numpy as np
import pytest

from weights import novelty


def test_what_sticks_out_of_the_familiar_plane_is_novel() -> None:
    rng = np.random.default_rng(0)
    home = (rng.normal(0, 1, (2000, 4)) * [30, 20, 1, 0.5] + 7).astype(np.float32)
    familiar = novelty.fit(home, count=2)
    assert familiar.novelty(home).mean() == pytest.approx(1, abs=0.01)
    along, across = np.array([[97, 7, 7, 7]]), np.array([[7, 7, 27, 7]])
    assert familiar.novelty(along)[0] < 10
    assert familiar.novelty(across)[0] > 200


def test_the_threshold_refuses_no_more_than_it_may() -> None:
    assert novelty.threshold(np.arange(100.0), 0.01) >= 98
