"""The segmenter gives a mask as large as the picture, whatever odd sides lie between."""

from __future__ import annotations

import numpy as np
import pytest

from weights import segmenter


@pytest.mark.parametrize("size", [64, 160, 224])
def test_the_mask_is_as_large_as_the_picture(size: int) -> None:
    answer = segmenter.build(None)(np.zeros((1, size, size, 3), np.float32), training=False)

    assert answer["mask"].shape == (1, size, size, 1)


def test_what_is_doubled_to_one_too_many_keeps_its_places_from_the_first() -> None:
    doubled = segmenter.Double()(np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1))

    cut = segmenter.Cut()([doubled, np.zeros((1, 7, 7, 5), np.float32)])

    assert np.asarray(cut)[0, :, 0, 0].tolist() == [0, 0, 4, 4, 8, 8, 12]
