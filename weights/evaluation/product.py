"""The real product, asked about many pictures through its public command.

Models are measured by running their files; what people meet is more: decoding,
the quality gate, thresholds, the outline's clean-up. The workshop never
imports the services, so it calls ``dermserve analyze`` and reads what it writes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from weights.classifier import LABELS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from weights.evaluation.sample import Json

UNREADABLE = "unreadable"
"""The reason of a file that the product could not even decode."""

_COMMAND = Path(sys.executable).with_name("dermserve")
_DONE = (0, 1)
"""Exit statuses of a finished run: all analyzed, or some files unreadable."""


class ProductError(Exception):
    """The command could not be run."""


class Judgement(NamedTuple):
    """What the product said about one picture."""

    reasons: tuple[str, ...]
    """Why it was refused; empty when it was assessed."""

    probabilities: np.ndarray | None = None
    """Float, 7, in the order of `LABELS`; None when refused."""

    suspicious: bool = False
    mask_png: bytes = b""
    """The cleaned outline, empty when there is none or it was not asked for."""

    @property
    def refused(self) -> bool:
        """Whether it said "cannot assess"."""
        return bool(self.reasons)

    def mask(self, height: int, width: int) -> np.ndarray:
        """Return the outline at another size: bool, height x width; empty when there is none."""
        if not self.mask_png:
            return np.zeros((height, width), bool)
        drawn = cv2.imdecode(np.frombuffer(self.mask_png, np.uint8), cv2.IMREAD_GRAYSCALE)
        enlarged = cv2.resize(drawn, (width, height), interpolation=cv2.INTER_LINEAR)
        inside: np.ndarray = enlarged > np.iinfo(np.uint8).max // 2
        return inside


def judge(models: Path, files: Mapping[str, bytes], *, masks: bool = False) -> list[Judgement]:
    """Let the product judge encoded pictures by file name; answers in the files' order.

    Args:
        models: folder of both models.
        files: JPEG or PNG files. No two may differ in their suffix only.
        masks: also fetch the outlines, which takes longer.

    Raises:
        ProductError: it did not start, for example because a model is missing.

    """
    with tempfile.TemporaryDirectory(prefix="dermserve-evaluation-") as work:
        asked, drawn = Path(work, "asked"), Path(work, "drawn")
        asked.mkdir()
        for name, encoded in files.items():
            (asked / name).write_bytes(encoded)
        drawings = ["--out", str(drawn)] if masks else []
        said = _run(models, ["analyze", "--json", *drawings, str(asked)])
        found = dict(_judgements(said, drawn))
        return [found[name] for name in files]


def _run(models: Path, arguments: list[str]) -> str:
    """Call the command; its progress goes to our own terminal, if there is one."""
    variables = {
        **os.environ,
        "DERMSERVE_INFERENCE_MODEL_DIR": str(models.resolve()),
        "DERMSERVE_INFERENCE_EXECUTION_PROVIDER": "cpu",
        "DERMSERVE_SERVER": "",  # the models of this folder, never those of a server
    }
    try:
        finished = subprocess.run(  # noqa: S603 - our own command, no shell
            [_COMMAND, *arguments], env=variables, stdout=subprocess.PIPE, text=True, check=False
        )
    except FileNotFoundError as error:
        raise ProductError(f"{_COMMAND} is missing: make install puts it there") from error
    if finished.returncode not in _DONE:
        raise ProductError(f"dermserve analyze ended with status {finished.returncode}")
    return finished.stdout


def _judgements(said: str, drawn: Path) -> Iterator[tuple[str, Judgement]]:
    for line in said.splitlines():
        analysis = json.loads(line)
        name = Path(analysis["file"]).name
        mask = drawn / f"{Path(name).stem}.mask.png"
        yield name, _judgement(analysis, mask.read_bytes() if mask.exists() else b"")


def _judgement(analysis: Json, mask_png: bytes) -> Judgement:
    if "error" in analysis:
        return Judgement((UNREADABLE,))
    found = analysis["classification"]
    if found is None:
        return Judgement(tuple(analysis["quality"]["reasons"]), mask_png=mask_png)
    return Judgement(
        reasons=(),
        probabilities=np.array([found["probabilities"][label] for label in LABELS]),
        suspicious=found["suspicious"],
        mask_png=mask_png,
    )
