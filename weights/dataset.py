"""The pictures: read once from their archives, split by lesion, kept as bytes.

Two public collections are read from a folder (``--data``, the environment
variable ``DERMSERVE_TRAINING_DATA``, or ``weights/data``):

* HAM10000 (Tschandl et al., Sci Data 5:180161, 2018): 10,015 dermoscopic
  pictures of 7,470 lesions, seven labels, one mask a picture. Whole lesions
  are dealt to five folds; no lesion stands in two.
* ISIC 2017 (Codella et al., arXiv:1710.05006): 2,000 pictures for training,
  150 for validation. Its flags are fewer than our labels: melanoma becomes
  ``mel``, seborrheic keratosis ``bkl``, and neither ``nv``.

Folds 0 to 2 train, fold 3 validates and calibrates, fold 4 is only reported.
"""

from __future__ import annotations

import csv
import io
import os
import zipfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from weights.classifier import LABELS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

DATA_VARIABLE = "DERMSERVE_TRAINING_DATA"
DEFAULT_DATA = Path(__file__).parent / "data"
"""Beside this file, ignored by git: a folder or a link to one."""

MISSING = f"no training data in {{}}: put it there, or name its folder by --data or {DATA_VARIABLE}"

TRAINING_FOLDS = (0, 1, 2)
VALIDATION_FOLD = 3
REPORT_FOLD = 4

RESIZE = "pillow-bicubic"
"""The name of `resize` in the models' metadata."""

STORED_SIZE, STORED_QUALITY = 224, 75
"""Side in pixels and JPEG quality of the pictures of HAM10000 as they lie in the data folder."""

MIDDLE = 127
"""A mask's pixel above this counts as inside."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: where it lies, whose lesion it shows, what it is."""

    name: str
    archive: str
    lesion: str
    label: str
    fold: int | None
    variant: str
    mask_suspect: bool
    has_centercrop: bool = False

    @property
    def masks(self) -> str:
        """The archive that holds this picture's mask."""
        return self.archive.replace("_images", "_masks")


def data_folder() -> Path:
    """Return the folder of the training data: the variable's, or the default."""
    return Path(os.environ.get(DATA_VARIABLE, DEFAULT_DATA))


def ham10000(data: Path, folds: Iterable[int] = range(5)) -> list[Picture]:
    """List the HAM10000 pictures of ``folds``, in the order of the table.

    Raises ``FileNotFoundError`` that says how to name the folder when ``data`` is none.
    """
    wanted = set(folds)
    return [
        Picture(
            name=row["image_id"],
            archive="ham10000_images.zip",
            lesion=row["lesion_id"],
            label=row["dx"],
            fold=int(row["fold"]),
            variant=row["variant"],
            mask_suspect=row["mask_suspect"] == "1",
            has_centercrop=row["has_centercrop"] == "1",
        )
        for row in _rows(data / "ham10000.csv")
        if int(row["fold"]) in wanted
    ]


def isic2017(data: Path, split: str) -> list[Picture]:
    """List the ISIC 2017 pictures of ``split``: ``train`` or ``val``."""
    pictures = [
        Picture(
            name=row["image_id"],
            archive="isic2017_images.zip",
            lesion=row["image_id"],
            label=_isic2017_label(row),
            fold=None,
            variant="isic2017",
            mask_suspect=row["mask_suspect"] == "1",
        )
        for row in _rows(data / "isic2017.csv")
        if row["split"] == split
    ]
    if not pictures:
        message = f"ISIC 2017 has no split {split!r}"
        raise ValueError(message)
    return pictures


def training(data: Path) -> list[Picture]:
    """List everything that may train a model: folds 0 to 2 and ISIC 2017 train."""
    return ham10000(data, TRAINING_FOLDS) + isic2017(data, "train")


def _rows(table: Path) -> list[dict[str, str]]:
    if not table.exists():
        raise FileNotFoundError(MISSING.format(table.parent))
    with table.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def _isic2017_label(row: dict[str, str]) -> str:
    if row["melanoma"] == "1":
        return "mel"
    return "bkl" if row["seborrheic_keratosis"] == "1" else "nv"


def resize(picture: Image.Image, size: int) -> np.ndarray:
    """Squash the whole frame to ``size``x``size``: uint8 RGB, (size, size, 3).

    This is the product's one resize. Training and serving must agree on it to
    the bit, whatever the picture's shape; its name is `RESIZE`.
    """
    square = picture.convert("RGB").resize((size, size), Image.Resampling.BICUBIC, reducing_gap=2.0)
    return np.asarray(square, dtype=np.uint8)


def resize_foreign(picture: Image.Image, size: int) -> np.ndarray:
    """Squash a picture that is none of the data's, as the product does before it judges one.

    First it becomes what the file of a training picture holds, so that its grain tells no more
    about it than theirs does.
    """
    file = io.BytesIO()
    square = picture.convert("RGB").resize(
        (STORED_SIZE, STORED_SIZE), Image.Resampling.LANCZOS, reducing_gap=3.0
    )
    square.save(file, "JPEG", quality=STORED_QUALITY)
    return resize(Image.open(file), size)


def resize_mask(mask: Image.Image, size: int) -> np.ndarray:
    """Squash a mask to ``size``x``size``: uint8, 0 outside and 255 inside.

    Edges are averaged, so a pixel may lie between: the share of it inside.
    """
    square = mask.convert("L").resize((size, size), Image.Resampling.BOX)
    return np.asarray(square, dtype=np.uint8)


def images(data: Path, pictures: Sequence[Picture], size: int) -> np.ndarray:
    """Decode and resize pictures: uint8, (N, size, size, 3)."""
    return _stack(data, [(p.archive, f"{p.name}.jpg") for p in pictures], size, resize)


def masks(data: Path, pictures: Sequence[Picture], size: int) -> np.ndarray:
    """Decode and resize the pictures' masks: uint8 0..255, (N, size, size)."""
    return _stack(data, [(p.masks, f"{p.name}.png") for p in pictures], size, resize_mask)


def full_masks(data: Path, pictures: Sequence[Picture]) -> Iterator[np.ndarray]:
    """Decode the pictures' masks as they were drawn, one by one: bool, HxW."""
    # Opened once: an archive's table of contents takes longer to read than a mask.
    with ExitStack() as opened:
        archives = {
            name: opened.enter_context(zipfile.ZipFile(data / name))
            for name in {picture.masks for picture in pictures}
        }
        for picture in pictures:
            encoded = archives[picture.masks].read(f"{picture.name}.png")
            yield np.asarray(Image.open(io.BytesIO(encoded)).convert("L")) > MIDDLE


def center_crops(data: Path, pictures: Sequence[Picture], size: int) -> np.ndarray:
    """Decode the centre crops of pictures that have one: uint8, (N, size, size, 3)."""
    members = [("ham10000_centercrop.zip", f"{p.name}.jpg") for p in pictures]
    return _stack(data, members, size, resize)


def outsiders(data: Path, size: int) -> np.ndarray:
    """Decode the pictures that are not dermoscopy at all: uint8, (N, size, size, 3)."""
    with zipfile.ZipFile(data / "ood_images.zip") as archive:
        members = [("ood_images.zip", name) for name in sorted(archive.namelist())]
    return _stack(data, members, size, resize_foreign)


def _stack(
    data: Path,
    members: Sequence[tuple[str, str]],
    size: int,
    read: Callable[[Image.Image, int], np.ndarray],
) -> np.ndarray:
    """Read archive members one by one into a single array."""
    archives = {name: zipfile.ZipFile(data / name) for name in {name for name, _ in members}}
    try:
        return np.stack(
            [
                read(Image.open(io.BytesIO(archives[archive].read(member))), size)
                for archive, member in members
            ]
        )
    finally:
        for archive_file in archives.values():
            archive_file.close()


def targets(pictures: Sequence[Picture]) -> np.ndarray:
    """Return each picture's place in `LABELS`: int64, N."""
    return np.array([LABELS.index(p.label) for p in pictures], dtype=np.int64)
