"""A picture gets the answer of its training-size copy, whatever its size, shape and format.

The pictures of training are 224 pixels a side. Enlarged copies of them stand for what
cameras and telephones send: the whole road must lead them back to where they came from.
"""

import asyncio
import csv
import io
import zipfile
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image
from prometheus_client import CollectorRegistry

from services.inference.analysis import LABELS, Analysis
from services.inference.engine import engine
from services.inference.settings import Settings
from tests import real_pictures, specimens

SIDE = 224
EACH = 2
"""Pictures a label: enough to see a drift, few enough to be quick."""

TOLERANCE = 0.02
"""How far any of the seven probabilities may lie from the training-size copy's."""

GRID = (300, 225)
ORIENTATION = 0x0112
BICUBIC, LANCZOS = Image.Resampling.BICUBIC, Image.Resampling.LANCZOS


def jpeg(size: tuple[int, int], filtered: Image.Resampling = BICUBIC) -> Callable[..., bytes]:
    return lambda picture: specimens.encoded(picture.resize(size, filtered), quality=95)


def png(size: tuple[int, int], filtered: Image.Resampling = BICUBIC) -> Callable[..., bytes]:
    def copy(picture: Image.Image) -> bytes:
        return specimens.encoded(picture.resize(size, filtered), "PNG", compress_level=1)

    return copy


def telephone(picture: Image.Image) -> bytes:
    """Store a picture lying on its side, with the note that says so."""
    note = Image.Exif()
    note[ORIENTATION] = 6
    lying = picture.resize((1200, 1600), BICUBIC).transpose(Image.Transpose.ROTATE_90)
    return specimens.encoded(lying, quality=95, exif=note)


COPIES: dict[str, Callable[[Image.Image], bytes]] = {
    "as large as its original, JPEG": jpeg((600, 450)),
    "as large as its original, PNG": png((600, 450), LANCZOS),
    "an old screen, PNG": png((1024, 768)),
    "a dermatoscope, JPEG": jpeg((1600, 1200), LANCZOS),
    "a camera of twelve megapixels, JPEG": jpeg((4000, 3000)),
    "portrait, JPEG": jpeg((900, 1200)),
    "a wide strip, PNG": png((1500, 600), LANCZOS),
    "a telephone held upright, JPEG": telephone,
}


class Pair(NamedTuple):
    """What was answered about a training-size picture and about one of its copies."""

    small: Analysis
    copy: Analysis

    @property
    def moved(self) -> float:
        """The most that any probability moved."""
        both = [probabilities(analysis) for analysis in self]
        return float(np.abs(both[0] - both[1]).max())

    @property
    def dice(self) -> float:
        """How far the two outlines overlap, seen on one grid."""
        one, other = (mask(analysis) for analysis in self)
        return float(2 * (one & other).sum() / (one.sum() + other.sum()))


def probabilities(analysis: Analysis) -> np.ndarray:
    classification = analysis.findings.classification
    assert classification is not None
    return np.array([classification.probabilities[label] for label in LABELS])


def mask(analysis: Analysis) -> np.ndarray:
    drawn = Image.open(io.BytesIO(analysis.findings.mask_png))
    return np.asarray(drawn.resize(GRID, Image.Resampling.BOX)) > 127


def compared(pictures: list[bytes]) -> dict[str, list[Pair]]:
    """Ask about each picture and all its copies; what is refused at training size is left out."""

    async def asked() -> dict[str, list[Pair]]:
        pairs: dict[str, list[Pair]] = {kind: [] for kind in COPIES}
        # The road is what is tested: a small drift on it would hide behind eight bits' rounding.
        settings = Settings(precision="fp32")
        async with engine(settings, CollectorRegistry()) as pipeline:
            for picture in pictures:
                small = await pipeline.analyze(picture)
                if small.findings.classification is None:
                    continue
                source = Image.open(io.BytesIO(picture)).convert("RGB")
                for kind, copied in COPIES.items():
                    pairs[kind].append(Pair(small, await pipeline.analyze(copied(source))))
        return pairs

    return asyncio.run(asked())


def lesions() -> Iterator[bytes]:
    """Yield the first pictures of every label of fold 3."""
    with (real_pictures.FOLDER / "ham10000.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["fold"] == "3"]
    with zipfile.ZipFile(real_pictures.FOLDER / "ham10000_images.zip") as archive:
        for label in LABELS:
            for row in [row for row in rows if row["dx"] == label][:EACH]:
                yield archive.read(f"{row['image_id']}.jpg")


@pytest.fixture(scope="module")
def drawn() -> dict[str, list[Pair]]:
    picture = specimens.lesion().resize((SIDE, SIDE), BICUBIC)
    pairs = compared([specimens.encoded(picture, quality=75)])
    assert all(pairs.values()), "the specimen is refused: draw another"
    return pairs


@pytest.fixture(scope="module")
def real() -> dict[str, list[Pair]]:
    if not real_pictures.HERE:
        pytest.skip(real_pictures.MISSING)
    return compared(list(lesions()))


@pytest.mark.parametrize("kind", COPIES)
def test_a_copy_of_the_specimen_gets_its_answer(drawn: dict[str, list[Pair]], kind: str) -> None:
    (pair,) = drawn[kind]
    assert pair.moved <= TOLERANCE
    assert pair.dice >= 0.98


@pytest.mark.parametrize("kind", COPIES)
def test_copies_of_real_lesions_get_the_answers_of_the_originals(
    real: dict[str, list[Pair]], kind: str
) -> None:
    moved = np.array([pair.moved for pair in real[kind]])
    assert len(moved) >= EACH * len(LABELS) - 2
    assert moved.max() <= TOLERANCE, moved.round(3)


@pytest.mark.parametrize("kind", COPIES)
def test_copies_of_real_lesions_get_their_outlines(real: dict[str, list[Pair]], kind: str) -> None:
    dices = [pair.dice for pair in real[kind]]
    assert min(dices) >= 0.96
    assert np.mean(dices) >= 0.985
