"""The segmenter's soft mask becomes one lesion: its outline and what can be measured on it.

The measures are the parts of the ABCD rule (Stolz et al., Eur J Dermatol 4:521, 1994) that
a mask and colors can give. They are shown one by one, never added up to a score: the rule's
differential structures cannot be seen in a mask.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from services.inference import png

THRESHOLD = 0.5
MIN_AREA_FRACTION = 0.002
"""A smaller region is noise, not a lesion."""

WORKING_SIDE = 384
"""The longer side, in pixels, of the frame in which a lesion is measured: finer than the mask
that is measured, and cheap."""

Pixels = npt.NDArray[np.uint8]
Points = npt.NDArray[np.int32]

# About half a pixel of the mask in working pixels: what lies below is the staircase of the
# mask's grid, not the lesion's border.
_OUTLINE_TOLERANCE_PX = 1.0


@dataclass(frozen=True, slots=True)
class Lesion:
    """One contiguous lesion without holes.

    Attributes:
        inside: uint8, 1 in the lesion, 0 on skin, in the picture's aspect ratio, at most
            ``WORKING_SIDE`` a side.
        outline: int32, N x 2, x and y in pixels of the original picture, closed.
        bounding_box: x, y, width, height in pixels of the original picture.
        area_fraction: share of the picture, 0..1.
        asymmetry: share of the lesion outside its own mirror image, mean over the two
            principal axes, 0..1.
        border_irregularity: 1 - 4 pi area / perimeter^2, 0..1 (0 is a circle).
        color_variegation: root of the summed variances of CIE L*a*b* inside, over 100.

    """

    inside: Pixels
    outline: Points
    bounding_box: tuple[int, int, int, int]
    area_fraction: float
    asymmetry: float
    border_irregularity: float
    color_variegation: float


def find(
    soft_mask: npt.NDArray[np.float32], tensor: Pixels, size: tuple[int, int]
) -> Lesion | None:
    """Find the lesion of a picture and measure it.

    Args:
        soft_mask: float32, S x S, 0..1, of the whole squashed frame.
        tensor: uint8, S x S x 3, RGB, the squashed frame itself.
        size: width and height of the original in pixels.

    Returns:
        The largest region, or None when there is none worth the name.

    """
    shrunk = WORKING_SIDE / max(size)
    width, height = (max(1, round(side * shrunk)) for side in size)
    soft = cv2.resize(soft_mask, (width, height), interpolation=cv2.INTER_LINEAR)
    contour = _largest_contour((soft >= THRESHOLD).astype(np.uint8))
    if contour is None:
        return None
    inside = np.zeros((height, width), np.uint8)
    cv2.fillPoly(inside, [contour], 1)
    area_fraction = cv2.countNonZero(inside) / inside.size
    if area_fraction < MIN_AREA_FRACTION:
        return None
    scale = size[0] / width, size[1] / height
    polygon = cv2.approxPolyDP(contour, _OUTLINE_TOLERANCE_PX, closed=True)
    return Lesion(
        inside=inside,
        outline=_outline(polygon, scale),
        bounding_box=_bounding_box(contour, scale),
        area_fraction=area_fraction,
        asymmetry=_asymmetry(inside),
        border_irregularity=_border_irregularity(polygon),
        color_variegation=_color_variegation(tensor, inside),
    )


def mask_png(lesion: Lesion, size: tuple[int, int]) -> bytes:
    """Draw a lesion as an 8-bit grayscale PNG, 255 inside.

    Args:
        lesion: what to draw.
        size: width and height in pixels of the original picture.

    """
    # Interpolated and cut at one half, an edge stays where it was at any scale.
    soft = cv2.resize(lesion.inside * np.uint8(255), size, interpolation=cv2.INTER_LINEAR)
    _, mask = cv2.threshold(soft, 127, 255, cv2.THRESH_BINARY)
    # Two flat colors are long runs as they are: differences would only break them up.
    return png.encode(mask, png.Filter.NONE)


def _largest_contour(binary: Pixels) -> Points | None:
    # Only outer contours: what they enclose is filled, so holes vanish.
    contours, _ = cv2.findContours(binary, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    largest: Points | None = max(contours, key=cv2.contourArea, default=None)
    return largest


def _outline(polygon: Points, scale: tuple[float, float]) -> Points:
    # A contour runs through the centers of pixels, which lie half a pixel inside them.
    points: Points = np.rint((polygon.reshape(-1, 2) + 0.5) * scale - 0.5).astype(np.int32)
    return points


def _bounding_box(contour: Points, scale: tuple[float, float]) -> tuple[int, int, int, int]:
    x, y, width, height = cv2.boundingRect(contour)
    # A pixel that the edge cuts in half is drawn as inside, on every side.
    left, top = math.ceil(x * scale[0] - 0.5), math.ceil(y * scale[1] - 0.5)
    right = math.floor((x + width) * scale[0] + 0.5)
    bottom = math.floor((y + height) * scale[1] + 0.5)
    return left, top, right - left, bottom - top


def _asymmetry(inside: Pixels) -> float:
    # Only the lesion counts, and what is mirrored lies where the lesion lies or is not covered.
    inside = _cut(inside, cv2.boundingRect(inside))
    moments = cv2.moments(inside, binaryImage=True)
    area = float(moments["m00"])
    center = moments["m10"] / area, moments["m01"] / area
    angle = 0.5 * math.atan2(2 * moments["mu11"], moments["mu20"] - moments["mu02"])
    covered = sum(_mirrored(inside, center, axis) for axis in (angle, angle + math.pi / 2))
    return 1 - covered / (2 * area)


def _mirrored(inside: Pixels, center: tuple[float, float], axis: float) -> int:
    """Return how many pixels of a lesion its reflection across an axis covers."""
    cosine, sine = math.cos(2 * axis), math.sin(2 * axis)
    x, y = center
    reflection = np.array(
        [[cosine, sine, x - cosine * x - sine * y], [sine, -cosine, y - sine * x + cosine * y]]
    )
    mirrored = cv2.warpAffine(inside, reflection, inside.shape[::-1], flags=cv2.INTER_NEAREST)
    return cv2.countNonZero(inside & mirrored)


def _border_irregularity(polygon: Points) -> float:
    # Measured on the polygon: the contour's staircase of pixels is longer than the border.
    perimeter = cv2.arcLength(polygon, closed=True)
    if not perimeter:
        return 0.0
    return _share(1 - 4 * math.pi * cv2.contourArea(polygon) / perimeter**2)


def _color_variegation(tensor: Pixels, inside: Pixels) -> float:
    # Squashing moves colors about but does not change them.
    squashed = cv2.resize(inside, tensor.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    box = cv2.boundingRect(squashed)
    if not box[2]:  # a lesion so thin that it falls between the pixels
        return 0.0
    lab = cv2.cvtColor(_cut(tensor, box), cv2.COLOR_RGB2LAB)
    _, deviation = cv2.meanStdDev(lab, mask=_cut(squashed, box))
    lightness, a, b = (float(channel) for channel in deviation[:, 0])
    # In eight bits L* goes to 255, not to 100.
    return _share(math.hypot(lightness * 100 / 255, a, b) / 100)


def _share(value: float) -> float:
    return min(max(value, 0.0), 1.0)


def _cut(pixels: Pixels, box: tuple[int, int, int, int]) -> Pixels:
    x, y, width, height = box
    return pixels[y : y + height, x : x + width]
