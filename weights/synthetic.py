"""A training data folder of drawn pictures: ``python -m weights.synthetic FOLDER``.

Its tables and archives have the form that `dataset` reads, so everything that
trains, exports or evaluates runs on it. Spots on skin, one tint a label; nothing
about accuracy is ever measured on them. In the place of ImageNet's tensors stand
random ones of a size that keeps signals alive through the network.
"""

from __future__ import annotations

import csv
import io
import sys
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
from PIL import Image

from weights import efficientnet_lite
from weights.classifier import LABELS

SIZE = 224
DAMPING = np.float32(0.7)
SKIN = np.array([205, 150, 135])
SPOTS = {
    "akiec": (190, 110, 100),
    "bcc": (170, 120, 130),
    "bkl": (150, 115, 80),
    "df": (165, 105, 85),
    "mel": (70, 45, 45),
    "nv": (125, 80, 60),
    "vasc": (150, 30, 50),
}
"""The colour of each label's spot, RGB."""


def lesion(
    rng: np.random.Generator, label: str, size: int = SIZE
) -> tuple[Image.Image, Image.Image]:
    """Draw a spot of ``label`` on skin, and its mask."""
    y, x = np.mgrid[:size, :size] / (size / 2) - 1
    middle, radius = rng.uniform(-0.2, 0.2, 2), rng.uniform(0.3, 0.6)
    angle = np.arctan2(y - middle[1], x - middle[0])
    border = sum(
        rng.normal(0, 0.05) * np.sin(waves * angle + rng.uniform(0, 2 * np.pi))
        for waves in (2, 3, 5)
    )
    beyond = np.hypot(x - middle[0], y - middle[1]) - radius * (1 + border)
    inside = (1 / (1 + np.exp(30 * beyond)))[..., None]
    skin, spot = (np.array(color) + rng.normal(0, 8, 3) for color in (SKIN, SPOTS[label]))
    colors = skin * (1 - inside) + spot * inside + _grain(rng, size)
    picture = Image.fromarray(np.clip(colors, 0, 255).astype(np.uint8))
    return picture, Image.fromarray((255 * (beyond < 0)).astype(np.uint8))


def _grain(rng: np.random.Generator, size: int) -> np.ndarray:
    """Return noise of several sizes (size x size x 1): a texture such as skin has."""
    layers = [
        cv2.resize(rng.normal(0, 8, (size // cell, size // cell)), (size, size))
        for cell in (1, 4, 16)
    ]
    grain: np.ndarray = np.sum(layers, axis=0)[..., None]
    return grain


def write(folder: Path, each: int = 5, seed: int = 7) -> None:
    """Write tables and archives: ``each`` pictures a label and fold, and some others."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    _ham10000(folder, rng, each)
    _isic2017(folder, rng)
    noise = [Image.fromarray(rng.integers(0, 256, (SIZE, SIZE, 3), np.uint8)) for _ in range(4)]
    _archive(folder / "ood_images.zip", {f"noise_{k}.jpg": p for k, p in enumerate(noise)})
    tensors: dict[str, Any] = _tensors(rng)
    np.savez(folder / "efficientnet_lite0_imagenet.npz", **tensors)


def _ham10000(folder: Path, rng: np.random.Generator, each: int) -> None:
    """Write five folds; every picture also has its centre crop."""
    rows, frames, crops, masks = [], {}, {}, {}
    quarter = SIZE // 4
    for number in range(5 * each * len(LABELS)):
        name, label = f"DRAWN_{number:04}", LABELS[number % len(LABELS)]
        picture, mask = lesion(rng, label)
        frames[f"{name}.jpg"], masks[f"{name}.png"] = picture, mask
        crops[f"{name}.jpg"] = picture.crop((quarter, quarter, 3 * quarter, 3 * quarter))
        rows.append(
            {
                "image_id": name,
                "dx": label,
                "lesion_id": name,
                "fold": number // len(LABELS) % 5,
                "variant": "drawn",
                "has_centercrop": 1,
                "mask_suspect": 0,
            }
        )
    _table(folder / "ham10000.csv", rows)
    _archive(folder / "ham10000_images.zip", frames)
    _archive(folder / "ham10000_centercrop.zip", crops)
    _archive(folder / "ham10000_masks.zip", masks)


def _isic2017(folder: Path, rng: np.random.Generator) -> None:
    rows, frames, masks = [], {}, {}
    for number, label in enumerate(("mel", "bkl", "nv") * 3):
        name = f"ISIC_DRAWN_{number}"
        frames[f"{name}.jpg"], masks[f"{name}.png"] = lesion(rng, label)
        rows.append(
            {
                "image_id": name,
                "split": "val" if number % 3 == number // 3 else "train",
                "melanoma": int(label == "mel"),
                "seborrheic_keratosis": int(label == "bkl"),
                "mask_suspect": 0,
            }
        )
    _table(folder / "isic2017.csv", rows)
    _archive(folder / "isic2017_images.zip", frames)
    _archive(folder / "isic2017_masks.zip", masks)


def _tensors(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Draw the backbone's tensors under the names, and in the axis order, of the real ones.

    Source of their size: He et al., Delving deep into rectifiers, arXiv:1502.01852.
    """
    image = keras.Input((SIZE, SIZE, 3))
    features = efficientnet_lite.stages(efficientnet_lite.normalise(image))[-1]
    tensors: dict[str, np.ndarray] = {}
    for layer in keras.Model(image, efficientnet_lite.head(features)).layers:
        name = efficientnet_lite._torch_name(layer.name)  # noqa: SLF001 - the names are its own
        if isinstance(layer, keras.layers.BatchNormalization):
            parts = ("weight", "bias", "running_mean", "running_var")
            values = layer.get_weights()
            # Each block adds a little less than it could: sums stay small and exact.
            values[0] *= DAMPING if layer.name.endswith("bn2") else 1
            tensors |= {f"{name}.{part}": v for part, v in zip(parts, values, strict=True)}
        elif name is not None:
            (kernel,) = layer.get_weights()
            axes = (2, 3, 0, 1) if isinstance(layer, keras.layers.DepthwiseConv2D) else (3, 2, 0, 1)
            shape = tuple(kernel.shape[axis] for axis in axes)
            scale = np.sqrt(2 / np.prod(shape[1:]))
            tensors[f"{name}.weight"] = rng.normal(0, scale, shape).astype(np.float32)
    return tensors


def _table(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.DictWriter(lines, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def _archive(path: Path, pictures: Mapping[str, Image.Image]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, picture in pictures.items():
            archive.writestr(name, _encoded(picture, name))


def _encoded(picture: Image.Image, name: str) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG" if name.endswith(".jpg") else "PNG", quality=92)
    return buffer.getvalue()


def main(words: Iterable[str] = ()) -> None:
    """Write the folder that the command line names."""
    (folder,) = words or sys.argv[1:]
    write(Path(folder))


if __name__ == "__main__":
    main()
