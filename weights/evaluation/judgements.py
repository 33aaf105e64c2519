"""What the product says about every picture of an evaluation, asked once for both models."""

from __future__ import annotations

import zipfile
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from weights import dataset, strangers
from weights.evaluation import product

if TYPE_CHECKING:
    from collections.abc import Sequence

    from weights.dataset import Picture
    from weights.evaluation.product import Judgement


class Judgements:
    """Answers of the product with the models in one folder, on the pictures in another."""

    def __init__(self, models: Path, data: Path) -> None:
        """Ask nothing yet."""
        self._models, self._data = models, data

    def of(self, pictures: Sequence[Picture]) -> list[Judgement]:
        """Return the answers about pictures of the report fold or of ISIC 2017 validation."""
        return [self._lesions[picture.name] for picture in pictures]

    def without_outline(self, pictures: Sequence[Picture]) -> int:
        """Count the pictures in which the product found no lesion, or did not look for one."""
        return sum(not judgement.mask_png for judgement in self.of(pictures))

    @cached_property
    def _lesions(self) -> dict[str, Judgement]:
        pictures = [
            *dataset.ham10000(self._data, [dataset.REPORT_FOLD]),
            *dataset.isic2017(self._data, "val"),
        ]
        files = {
            f"{name}.jpg": encoded
            for archive in {picture.archive for picture in pictures}
            for name, encoded in _members(
                self._data / archive, {p.name for p in pictures if p.archive == archive}
            ).items()
        }
        judged = product.judge(self._models, files, masks=True)
        return dict(zip((Path(name).stem for name in files), judged, strict=True))

    @cached_property
    def outsiders(self) -> dict[str, Judgement]:
        """The answers about photographs and scans of other things, by file name."""
        with zipfile.ZipFile(self._data / "ood_images.zip") as archive:
            files = {name: archive.read(name) for name in sorted(archive.namelist())}
        return dict(zip(files, product.judge(self._models, files), strict=True))

    @cached_property
    def drawn(self) -> dict[str, Judgement]:
        """The answers about `strangers`, by their names."""
        pictures = strangers.encoded()
        files = {f"{name}.png": encoded for name, encoded in pictures.items()}
        return dict(zip(pictures, product.judge(self._models, files), strict=True))


def _members(archive: Path, names: set[str]) -> dict[str, bytes]:
    with zipfile.ZipFile(archive) as opened:
        return {name: opened.read(f"{name}.jpg") for name in sorted(names)}
