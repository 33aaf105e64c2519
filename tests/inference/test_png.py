"""Drawings as files that others can read."""

import io

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from services.inference import png

_DRAWINGS = arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40)))


@given(drawing=_DRAWINGS, each_row=st.sampled_from(png.Filter))
def test_every_drawing_is_read_back_as_it_was(
    drawing: npt.NDArray[np.uint8], each_row: png.Filter
) -> None:
    with Image.open(io.BytesIO(png.encode(drawing, each_row))) as read:
        assert (read.format, read.mode) == ("PNG", "L")
        assert np.array_equal(np.asarray(read), drawing)


def test_flat_and_smooth_drawings_make_small_files() -> None:
    flat = np.zeros((450, 600), np.uint8)
    flat[100:300, 200:400] = 255
    smooth = np.repeat(np.arange(192, dtype=np.uint8)[:, None], 256, axis=1)

    assert len(png.encode(flat, png.Filter.NONE)) < flat.size / 100
    assert len(png.encode(smooth, png.Filter.UP)) < smooth.size / 20
