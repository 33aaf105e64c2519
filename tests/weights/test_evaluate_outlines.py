"""Masks are compared at the size they were drawn in."""

from __future__ import annotations

import numpy as np
import pytest

from weights.evaluation import outlines


def test_a_soft_mask_is_enlarged_and_cut_at_one_half() -> None:
    soft = np.array([[1.0, 0.0], [1.0, 0.0]], np.float32)
    cut = outlines.raw(soft, 4, 6)
    assert cut.shape == (4, 6)
    assert cut[:, :3].all()
    assert not cut[:, 3:].any()


def test_figures_tell_the_distribution_and_each_label() -> None:
    jaccards = np.array([0.2, 0.6, 0.8, 0.9])
    overlaps = np.stack([2 * jaccards / (1 + jaccards), jaccards], axis=1)
    found = outlines.figures(overlaps, ["mel", "nv", "nv", "nv"], ["a", "b", "c", "d"])
    assert found["mean_jaccard"]["value"] == 0.625
    assert found["thresholded_jaccard"]["value"] == 0.425
    assert found["share_below_threshold"]["value"] == 0.5
    assert found["jaccard_percentiles"]["50"] == 0.7
    assert {label: of["pictures"] for label, of in found["labels"].items()} == {"mel": 1, "nv": 3}
    assert found["labels"]["mel"]["mean_jaccard"]["value"] == pytest.approx(0.2)
