"""The shipped models on real pictures of lesions that they have never seen.

The exact figures stand in the model cards; here the road itself (decoding, resize, gate,
post-processing) is held against them: were one of its steps to differ from training, these
numbers would fall.
"""

import asyncio
import csv
import io
import zipfile
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image
from prometheus_client import CollectorRegistry

from services.inference import imaging, quality
from services.inference.analysis import MALIGNANT, Analysis
from services.inference.engine import engine
from services.inference.settings import Settings
from tests import real_pictures

EVERY = 10
"""One picture in so many of the fold, to keep the test short."""

pytestmark = pytest.mark.skipif(not real_pictures.HERE, reason=real_pictures.MISSING)


@pytest.fixture(scope="module")
def lesions() -> list[tuple[dict[str, str], Analysis]]:
    """Every tenth picture of fold 4, with what is known and what was answered."""
    with (real_pictures.FOLDER / "ham10000.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["fold"] == "4"][::EVERY]

    async def analyzed() -> list[Analysis]:
        async with engine(Settings(), CollectorRegistry()) as pipeline:
            pictures = members("ham10000_images.zip", [f"{row['image_id']}.jpg" for row in rows])
            return [await pipeline.analyze(picture) for picture in pictures]

    return list(zip(rows, asyncio.run(analyzed()), strict=True))


def members(archive: str, names: list[str]) -> Iterator[bytes]:
    with zipfile.ZipFile(real_pictures.FOLDER / archive) as opened:
        for name in names:
            yield opened.read(name)


def test_the_quality_gate_refuses_none_of_the_pictures_that_its_bounds_were_set_beyond() -> None:
    with (real_pictures.FOLDER / "ham10000.csv").open() as file:
        names = [f"{row['image_id']}.jpg" for row in csv.DictReader(file) if row["fold"] == "3"]
    assert len(names) == 2002
    for picture in members("ham10000_images.zip", names):
        view = imaging.view(picture, frozenset({224}))
        # The pictures lie there scaled down; their side says nothing about the camera's.
        assert quality.measure(view.tensors[224], shorter_side=450).reasons == ()


def test_few_real_lesions_are_refused(lesions: list[tuple[dict[str, str], Analysis]]) -> None:
    refused = [row["image_id"] for row, analysis in lesions if analysis.findings.reasons]
    assert len(refused) <= 0.04 * len(lesions)


def test_outlines_lie_where_people_drew_them(
    lesions: list[tuple[dict[str, str], Analysis]],
) -> None:
    known = [pair for pair in lesions if pair[0]["mask_suspect"] == "0"]
    masks = members("ham10000_masks.zip", [f"{row['image_id']}.png" for row, _ in known])
    overlaps = []
    for (_, analysis), mask in zip(known, masks, strict=True):
        drawn = Image.open(io.BytesIO(mask)).resize((analysis.view.width, analysis.view.height))
        found = (
            Image.open(io.BytesIO(analysis.findings.mask_png)) if analysis.findings.lesion else None
        )
        overlaps.append(dice(np.asarray(drawn) > 0, found))
    assert np.mean(overlaps) > 0.88


def test_most_malignant_lesions_are_called_suspicious_and_most_others_are_not(
    lesions: list[tuple[dict[str, str], Analysis]],
) -> None:
    verdicts: dict[bool, list[bool]] = {True: [], False: []}
    for row, analysis in lesions:
        if analysis.findings.classification is not None:
            verdicts[row["dx"] in MALIGNANT].append(analysis.findings.classification.suspicious)
    assert np.mean(verdicts[True]) > 0.8
    assert np.mean(verdicts[False]) < 0.4


def dice(drawn: np.ndarray, found: Image.Image | None) -> float:
    if found is None:
        return 0.0
    marked = np.asarray(found) > 0
    return float(2 * (drawn & marked).sum() / (drawn.sum() + marked.sum()))
