"""A picture becomes the tensors that the models saw in training.

Training squashed whole frames to a square with Pillow's bicubic filter, whatever their
aspect ratio; ``RESIZE`` names that, and a model that was made otherwise is refused.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from services import picture

RESIZE = "pillow-bicubic"

_OVERSAMPLING = 2
"""A JPEG may shrink while decoding, but never below this many times what is needed."""

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class View:
    """One decoded picture in the sizes that the pipeline needs.

    Attributes:
        tensors: uint8, S x S x 3, RGB, by S.
        width: of the upright original, in pixels.
        height: of the upright original, in pixels.
        format: ``"jpeg"`` or ``"png"``.

    """

    tensors: dict[int, Pixels]
    width: int
    height: int
    format: str


def view(encoded: bytes, sizes: frozenset[int]) -> View:
    """Decode a picture once and scale it to every size that is needed.

    Args:
        encoded: a JPEG or PNG file.
        sizes: input sizes of the models, in pixels.

    Raises:
        picture.PictureError: the bytes cannot be used as a picture.

    """
    decoded = picture.read(encoded, at_least=_OVERSAMPLING * max(sizes))
    return View(
        tensors={size: squash(decoded.pixels, size) for size in sizes},
        width=decoded.width,
        height=decoded.height,
        format=decoded.format,
    )


def squash(image: Image.Image, size: int) -> Pixels:
    """Scale a whole frame to a square, as training did.

    Returns:
        uint8, size x size x 3, RGB.

    """
    return np.asarray(image.resize((size, size), Image.Resampling.BICUBIC, reducing_gap=2.0))
