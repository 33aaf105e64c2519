"""What in the picture spoke for a label: the class activation map as a grayscale picture.

The map (Zhou et al., CVPR 2016) comes out of the same forward pass as the probabilities:
its mean over the picture, plus a constant of the label, is the label's logit.
"""

import cv2
import numpy as np
import numpy.typing as npt

from services.inference import png

MAX_SIDE = 256
"""A map of a few cells a side gains nothing from more pixels than this."""


def drawn(activation: npt.NDArray[np.float32], size: tuple[int, int]) -> bytes:
    """Draw a class activation map as an 8-bit grayscale PNG, 0 nothing, 255 most.

    Only what spoke for the label is drawn; a map that has nothing of it comes out black.

    Args:
        activation: float32, h x w, of one label.
        size: width and height in pixels of the original picture, whose aspect ratio the
            drawing has.

    """
    positive = np.maximum(activation, 0)
    levels = (positive * (255 / max(float(positive.max()), 1e-6))).astype(np.uint8)
    scale = min(1, MAX_SIDE / max(size))
    shape = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
    # A smooth picture: what changes from row to row is little.
    return png.encode(cv2.resize(levels, shape, interpolation=cv2.INTER_CUBIC), png.Filter.UP)
