"""Whether an answer is that of its own picture: label, probabilities and mask are compared."""

import base64
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

PROBABILITY_TOLERANCE = 2e-3
"""Keras and ONNX Runtime agree within 1e-4; two pictures are further apart."""

MASK_OVERLAP = 0.985
"""Least intersection over union with the expected mask; other pictures' masks reach less."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is compared of an analysis.

    Attributes:
        label: the most probable; empty when the picture was not assessed.
        probabilities: of the seven labels, in their order.
        mask_png: the lesion's mask as a PNG file.

    """

    label: str
    probabilities: tuple[float, ...]
    mask_png: bytes

    @classmethod
    def of_json(cls, analysis: dict[str, Any]) -> "Answer":
        """Read what the peers' common code answers."""
        classification = analysis.get("classification") or {}
        mask = (analysis.get("segmentation") or {}).get("mask_png", "")
        probabilities = tuple(classification.get("probabilities", {}).values())
        return cls(classification.get("label", ""), probabilities, base64.b64decode(mask))

    def agrees_with(self, expected: "Answer") -> bool:
        """Say whether both are answers to the same picture."""
        return (
            self.label == expected.label
            and len(self.probabilities) == len(expected.probabilities)
            and np.allclose(
                self.probabilities, expected.probabilities, rtol=0, atol=PROBABILITY_TOLERANCE
            )
            and _overlap(self.mask_png, expected.mask_png) >= MASK_OVERLAP
        )


@dataclass(frozen=True, slots=True)
class Specimen:
    """A picture and what is right about it."""

    picture: bytes
    expected: Answer


def write(path: Path, specimens: list[Specimen]) -> None:
    """Write specimens for the client's process."""
    rows = [
        {
            "picture": base64.b64encode(specimen.picture).decode(),
            "label": specimen.expected.label,
            "probabilities": specimen.expected.probabilities,
            "mask_png": base64.b64encode(specimen.expected.mask_png).decode(),
        }
        for specimen in specimens
    ]
    path.write_text(json.dumps(rows))


def read(path: Path) -> list[Specimen]:
    """Read them back."""
    return [
        Specimen(
            base64.b64decode(row["picture"]),
            Answer(row["label"], tuple(row["probabilities"]), base64.b64decode(row["mask_png"])),
        )
        for row in json.loads(path.read_text())
    ]


def _overlap(one: bytes, other: bytes) -> float:
    if one == other:
        return 1.0
    if not one or not other:
        return 0.0
    first, second = _inside(one), _inside(other)
    if first.shape != second.shape:
        return 0.0
    return float((first & second).sum() / max(1, (first | second).sum()))


def _inside(png: bytes) -> npt.NDArray[np.bool_]:
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image) > 127  # noqa: PLR2004 - a mask is black and white
