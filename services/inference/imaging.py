"""A picture becomes the tensors that the models saw in training.

Training squashed whole frames to a square with Pillow's bicubic filter, whatever their
aspect ratio; ``RESIZE`` names that, and a model that was made otherwise is refused.

The pictures of training lay on disk as JPEG files of 224 pixels a side, whatever size a model
takes. Such a file has lost the finest grain, and the models never saw any: grain of one level
in 255, which no eye sees, would sway them. So every picture is first brought to such a file and
goes on from there, as those of training did.
"""

import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from services import picture

RESIZE = "pillow-bicubic"

_OVERSAMPLING = 2
"""A JPEG may shrink while decoding, but never below this many times what is needed."""

STORED_SIZE = 224
"""The size in pixels to which the pictures of training were squashed."""

STORED_QUALITY = 75
"""The JPEG quality in which they were stored after that."""

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class View:
    """One decoded picture in the sizes that the pipeline needs.

    Attributes:
        tensors: uint8, S x S x 3, RGB, by S.
        kept: what they were made from, in the size that training pictures were kept in.
        width: of the upright original, in pixels.
        height: of the upright original, in pixels.
        format: ``"jpeg"`` or ``"png"``.

    """

    tensors: dict[int, Pixels]
    kept: Pixels
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
    decoded = picture.read(encoded, at_least=_OVERSAMPLING * STORED_SIZE)
    kept = stored(decoded.pixels)
    return View(
        tensors={size: squash(kept, size) for size in sizes},
        kept=np.asarray(kept),
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


def stored(image: Image.Image) -> Image.Image:
    """Make of a picture what the file of a training picture holds, and read it back.

    Such a picture itself is changed next to nothing. Who made those files left no word of the
    filter; this one leads enlarged copies of them back more closely than the bicubic does.
    """
    file = io.BytesIO()
    side = (STORED_SIZE, STORED_SIZE)
    square = image.resize(side, Image.Resampling.LANCZOS, reducing_gap=3.0)
    square.save(file, "JPEG", quality=STORED_QUALITY)
    return Image.open(file)
