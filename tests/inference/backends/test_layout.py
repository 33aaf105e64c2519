import itertools
import math
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from services.inference import model_file
from services.inference.backends import layout, speed, trial
from services.inference.backends.layout import Layout
from services.inference.backends.onnxruntime_cpu import OnnxRuntimeCpu
from services.inference.backends.speed import Contender
from services.inference.backends.trial import Tried
from services.inference.model_file import ModelFile
from tests import tiny_models

ALONE, PAIRS, TOGETHER = Layout(8, 1), Layout(4, 2), Layout(1, 8)


@pytest.mark.parametrize(
    ("cores", "shapes"),
    [
        (1, {(1, 1)}),
        (2, {(2, 1)}),
        (4, {(4, 1), (2, 2), (1, 4)}),
        (16, {(16, 1), (8, 2), (1, 16)}),
    ],
)
def test_sensible_layouts_use_every_core_once(cores: int, shapes: set[tuple[int, int]]) -> None:
    found = list(layout.sensible(cores, models=2))
    assert {(each.runs, each.threads) for each in found} == shapes
    assert all(each.runs * each.threads == cores for each in found)
    assert found[0] == Layout(cores, 1)


def test_the_cores_are_shared_out_among_as_many_runs_as_an_operator_wants() -> None:
    assert layout.shared_out(8, 2) == Layout(2, 4)
    assert layout.shared_out(2, 8) == Layout(8, 1)


def test_the_most_pictures_a_second_win() -> None:
    assert trial.best([Tried(ALONE, 100, 10), Tried(TOGETHER, 60, 40)]) == ALONE


def test_of_layouts_about_as_fast_the_one_with_the_quickest_answer_wins() -> None:
    tried = [Tried(ALONE, 100, 10), Tried(PAIRS, 96, 40), Tried(TOGETHER, 97, 45)]
    assert trial.best(tried) == TOGETHER


def test_of_layouts_that_answer_about_as_quickly_the_simplest_wins() -> None:
    tried = [Tried(ALONE, 96, 42), Tried(PAIRS, 100, 45), Tried(TOGETHER, 97, 46)]
    assert trial.best(tried) == ALONE


def test_layouts_are_tried_with_the_models_themselves(
    tmp_path: Path, logged: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speed, "_PATIENCE_S", math.inf)
    tiny_models.write_models(tmp_path)
    files = [
        model_file.read(tmp_path / name / "1" / "model.onnx")
        for name in ("segmenter", "classifier")
    ]
    opened: list[tuple[Path, Layout]] = []

    def noted(file: ModelFile, how: Layout) -> OnnxRuntimeCpu:
        opened.append((file.path, how))
        return OnnxRuntimeCpu(file, how)

    monkeypatch.setattr(trial, "OnnxRuntimeCpu", noted)
    candidates = list(layout.sensible(4, models=2))
    assert trial.measured(files, 4) in candidates
    assert opened == [(file.path, how) for how in candidates for file in files]
    assert "2 side by side, 2 threads each" in logged.text


def test_where_a_lone_picture_keeps_every_core_busy_nothing_needs_to_be_tried(
    tmp_path: Path,
) -> None:
    tiny_models.write_models(tmp_path)
    names = ("segmenter", "classifier")
    files = [model_file.read(tmp_path / name / "1" / "model.onnx") for name in names]
    assert trial.measured(files, 2) == Layout(2, 1)
    assert trial.measured(files, 1) == Layout(1, 1)


def test_work_side_by_side_counts_every_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    # A clock by which every turn takes a sixteenth of a second.
    ticks = itertools.count()
    clock = SimpleNamespace(perf_counter=lambda: next(ticks) / 16)
    monkeypatch.setattr(speed, "time", clock)
    together = threading.Barrier(3, timeout=60)
    crowded = Contender(together.wait, pictures=4, runs=3)
    assert speed.pictures_a_second([crowded, Contender(lambda: None)]) == [12 * 16, 16]


def test_a_machine_that_is_too_busy_to_tell_is_not_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(speed, "_PATIENCE_S", 0)
    assert speed.pictures_a_second([Contender(lambda: time.sleep(0.001))]) == [None]
