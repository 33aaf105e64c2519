"""How a picture is prepared and judged: what must be the same for an answer to be the same."""

from collections.abc import Mapping
from functools import lru_cache

import PIL

from services.inference import imaging, lesion, quality
from services.inference.analysis import Method
from services.inference.contract import ClassifierContract

PREPROCESSING = (
    f"jpeg-{imaging.STORED_SIZE}px-q{imaging.STORED_QUALITY}/{imaging.RESIZE}/pillow-"
    f"{PIL.__version__}"
)
"""The way from a picture to the models' tensors, and the library that goes it."""

_FIXED: Mapping[str, float] = {
    "mask": lesion.THRESHOLD,
    "least_area_fraction": lesion.MIN_AREA_FRACTION,
    "least_side_px": quality.MIN_SIDE_PX,
    "least_brightness": quality.MIN_BRIGHTNESS,
    "most_brightness": quality.MAX_BRIGHTNESS,
    "least_contrast": quality.MIN_CONTRAST,
    "least_sharpness": quality.MIN_SHARPNESS,
}


@lru_cache(maxsize=8)
def of(classifier: ClassifierContract) -> Method:
    """Return the method that goes with a classifier."""
    thresholds = {**_FIXED, "suspicious": classifier.suspicious_threshold}
    if classifier.novelty_threshold is not None:
        thresholds["novelty"] = classifier.novelty_threshold
    return Method(PREPROCESSING, thresholds)
