"""The whole recipe in miniature, from drawn pictures to verified ONNX files."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from weights import release, runtime


@pytest.mark.timeout(1800)  # minutes on a machine that has other work
def test_the_whole_road_is_open_without_the_data_folder(tmp_path: Path) -> None:
    """A real process draws, trains, is interrupted, goes on, exports and evaluates."""
    asked = [sys.executable, "-m", "weights.training", "recipe", "--preset", "smoke"]
    answer = subprocess.run(
        [*asked, "--work", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "DERMSERVE_TRAINING_DATA": str(tmp_path / "nowhere")},
    )
    assert answer.returncode == 0, answer.stderr[-2000:]
    assert "interrupted; the same command goes on" in answer.stdout
    with (tmp_path / "runs/classifier_small/history.csv").open(newline="") as lines:
        assert [row["epoch"] for row in csv.DictReader(lines)] == ["0", "1"]
    for name, output in (("classifier", "probabilities"), ("segmenter", "mask")):
        folder = release.folder(tmp_path / "models", name)
        session = runtime.session(folder / "model.onnx")
        picture = np.zeros((1, *session.get_inputs()[0].shape[1:]), np.uint8)
        answers = runtime.answers(session, picture)
        assert np.isfinite(answers[output]).all()
        assert (folder / "SHA256SUMS").exists()
