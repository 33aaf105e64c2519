"""Whether a picture is good enough to be judged at all.

The measures are taken on the small square picture that the models' tensors are made from, so
that they mean the same for every camera and every model.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

# Each bound lies beyond everything measured on fold 3 of HAM10000 (2,002 pictures).
MIN_SIDE_PX = 96
MIN_BRIGHTNESS = 0.2
MAX_BRIGHTNESS = 0.93
MIN_CONTRAST = 0.012
MIN_SHARPNESS = 4.0


@dataclass(frozen=True, slots=True)
class Quality:
    """What was measured, and why the picture must not be judged, if so.

    Attributes:
        brightness: mean of the gray values, 0..1.
        contrast: their standard deviation, 0..1.
        sharpness: variance of the Laplacian of the gray values in 0..255
            (Pech-Pacheco et al., ICPR 2000).
        reasons: names of what is wrong, most important first; empty when nothing is.

    """

    brightness: float
    contrast: float
    sharpness: float
    reasons: tuple[str, ...]


def measure(tensor: npt.NDArray[np.uint8], shorter_side: int) -> Quality:
    """Measure a picture.

    Args:
        tensor: uint8, S x S x 3, RGB.
        shorter_side: of the original, in pixels.

    """
    gray = cv2.cvtColor(tensor, cv2.COLOR_RGB2GRAY)
    brightness, contrast = (value / 255 for value in _mean_and_deviation(gray))
    _, grain = _mean_and_deviation(cv2.Laplacian(gray, cv2.CV_16S))
    sharpness = grain**2
    findings = (
        ("too_small", shorter_side < MIN_SIDE_PX),
        ("too_dark", brightness < MIN_BRIGHTNESS),
        ("too_bright", brightness > MAX_BRIGHTNESS),
        ("low_contrast", contrast < MIN_CONTRAST),
        ("blurred", sharpness < MIN_SHARPNESS),
    )
    reasons = tuple(name for name, found in findings if found)
    return Quality(brightness, contrast, sharpness, reasons)


def _mean_and_deviation(values: npt.NDArray[np.uint8 | np.int16]) -> tuple[float, float]:
    mean, deviation = cv2.meanStdDev(values)
    return float(mean[0, 0]), float(deviation[0, 0])
