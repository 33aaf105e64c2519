"""How one picture of a lesion lies over another: where it is, how it is turned, how large it is.

Two outlines are brought over each other by a similarity: centroids meet, principal axes agree,
areas are equal. All of that is in the moments of a mask up to the second order (Hu, Visual pattern
recognition by moment invariants, IRE Transactions on Information Theory 8, 1962). An axis has two
directions, and a round lesion none worth the name: what lays more of one over the other wins.
"""

import math
from dataclasses import dataclass

from PIL import Image, ImageChops

_SIDE_PX = 256
_INSIDE = 255
_HALF = 128
# A turn that gains less than this is more likely the pixels' than the lesion's.
_WORTH_A_TURN = 0.01


@dataclass(frozen=True, slots=True)
class Alignment:
    """The similarity that lays a second picture over a first one, and how well that fits.

    Attributes:
        scale: pixels of the first picture for one of the second.
        rotation_degrees: clockwise as one sees it, -180 to 180.
        shift: where the second picture's upper left corner comes to lie, x and y in pixels of
            the first.
        overlap: Jaccard index of the two lesions so laid, 0 to 1.

    """

    scale: float
    rotation_degrees: float
    shift: tuple[float, float]
    overlap: float

    @property
    def matrix(self) -> tuple[float, float, float, float, float, float]:
        """The same as SVG's ``matrix()`` and canvases have it: a, b, c, d, e, f."""
        along, across = _turn(self.scale, math.radians(self.rotation_degrees))
        return along, across, -across, along, *self.shift


@dataclass(frozen=True, slots=True)
class _Lesion:
    """A lesion in the coordinates of its picture: area, centroid, direction of its long axis.

    Its mask is a small one; ``size`` is how many pixels of the picture one of its pixels is.
    """

    mask: Image.Image
    size: float
    area: float
    x: float
    y: float
    axis: float


def aligned(first: Image.Image, second: Image.Image) -> Alignment | None:
    """Lay one lesion over another; None where a mask has no lesion.

    Args:
        first: mask of the picture that stays as it is: 8-bit grayscale, light inside.
        second: mask of the picture that is laid over it.

    """
    fixed, moved = _measured(first), _measured(second)
    if fixed is None or moved is None:
        return None
    turn = fixed.axis - moved.axis
    straight, *turned = (_fitted(each, fixed, moved) for each in (0.0, turn, turn + math.pi))
    best = max(turned, key=lambda each: each.overlap)
    return best if best.overlap > straight.overlap + _WORTH_A_TURN else straight


def _fitted(turn: float, fixed: _Lesion, moved: _Lesion) -> Alignment:
    scale = math.sqrt(fixed.area / moved.area)
    along, across = _turn(scale, turn)
    shift = (
        fixed.x - along * moved.x + across * moved.y,
        fixed.y - across * moved.x - along * moved.y,
    )
    # In pixels of the small masks, and backwards: from where each pixel is taken.
    back, aside = _turn(fixed.size / moved.size / scale, -turn)
    dx, dy = shift[0] / fixed.size, shift[1] / fixed.size
    placed = moved.mask.transform(
        fixed.mask.size,
        Image.Transform.AFFINE,
        (back, -aside, -back * dx + aside * dy, aside, back, -aside * dx - back * dy),
    )
    degrees = math.degrees(math.remainder(turn, math.tau))
    return Alignment(scale, degrees, shift, _jaccard(fixed.mask, placed))


def _turn(scale: float, angle: float) -> tuple[float, float]:
    return scale * math.cos(angle), scale * math.sin(angle)


def _measured(picture_mask: Image.Image) -> _Lesion | None:
    small = picture_mask.convert("L")
    small.thumbnail((_SIDE_PX, _SIDE_PX), Image.Resampling.BOX)
    mask = small.point([0] * _HALF + [_INSIDE] * _HALF)
    inside = [
        (index % mask.width + 0.5, index // mask.width + 0.5)
        for index, value in enumerate(mask.tobytes())
        if value
    ]
    if not inside:
        return None
    size, count = picture_mask.width / mask.width, len(inside)
    x, y = (math.fsum(values) / count for values in zip(*inside, strict=True))
    xx = math.fsum((each[0] - x) ** 2 for each in inside)
    yy = math.fsum((each[1] - y) ** 2 for each in inside)
    xy = math.fsum((each[0] - x) * (each[1] - y) for each in inside)
    axis = math.atan2(2 * xy, xx - yy) / 2
    return _Lesion(mask, size, count * size * size, x * size, y * size, axis)


def _jaccard(one: Image.Image, other: Image.Image) -> float:
    both = ImageChops.darker(one, other).histogram()[_INSIDE]
    either = ImageChops.lighter(one, other).histogram()[_INSIDE]
    return both / either if either else 0.0
