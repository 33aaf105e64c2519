import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from benchmarks import machine
from benchmarks.tables import sources
from services.inference import labels
from services.inference.labels import Labels
from tests.inference.rollouts import two_versions


def git(checkout: Path, *arguments: str) -> None:
    author = ["-c", "user.name=someone", "-c", "user.email=someone@example.org"]
    subprocess.run(["git", *author, *arguments], cwd=checkout, check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "benchmarks" / "results").mkdir(parents=True)
    for name in ("service.py", "README.md", "benchmarks/README.md", "benchmarks/results/one.json"):
        (tmp_path / name).write_text("as committed")
    git(tmp_path, "init")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "begun")
    return tmp_path


@pytest.mark.parametrize(
    ("changed", "dirty"),
    [
        ("service.py", True),
        ("README.md", False),
        ("benchmarks/README.md", False),
        ("benchmarks/results/one.json", False),
    ],
)
def test_a_commit_is_dirty_when_code_was_changed_and_not_by_results(
    checkout: Path, changed: str, *, dirty: bool
) -> None:
    (checkout / changed).write_text("changed since")
    assert machine.commit(checkout).endswith("-dirty") is dirty


def test_a_result_names_the_versions_that_answered_and_their_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = two_versions(tmp_path / "models")
    labels.write(models / "classifier", Labels(stable=2))
    monkeypatch.setattr(machine, "RESULTS", tmp_path)
    machine.write("one", {"pictures": 3}, models=models)
    result = json.loads((tmp_path / "one.json").read_text())
    for each, version in zip(result["machine"]["models"], ("2", "1"), strict=True):
        file = models / each["name"] / version / "model.onnx"
        assert each["version"] == version
        assert hashlib.sha256(file.read_bytes()).hexdigest().startswith(each["sha256"])
        assert f"{each['name']} {version} (SHA-256 {each['sha256']}" in sources.where(result)
    assert "published models classifier 2" in sources.where(result)
    assert {each["name"] for each in result["machine"]["models"]} == {"segmenter", "classifier"}
    assert result["pictures"] == 3


@pytest.mark.parametrize("strange", ["absent", "labels", "file"])
def test_a_measurement_is_written_however_strange_the_folder_of_the_models_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, strange: str
) -> None:
    models = two_versions(tmp_path / "models")
    (models / "notes").mkdir()
    if strange == "absent":
        shutil.rmtree(models / "classifier")
    elif strange == "labels":
        (models / "classifier" / "labels.json").write_bytes(b"\xff")
    else:
        (models / "classifier" / "1" / "model.onnx").write_text("no model")
    monkeypatch.setattr(machine, "RESULTS", tmp_path)
    machine.write("one", {"pictures": 3}, models=models)
    result = json.loads((tmp_path / "one.json").read_text())
    assert result["pictures"] == 3
    classifier, segmenter = result["machine"]["models"]
    assert (classifier["name"], segmenter["name"]) == ("classifier", "segmenter")
    assert classifier["unknown"]
    assert f"classifier (unknown: {classifier['unknown']}) and segmenter 1" in sources.where(result)


def test_a_result_of_what_runs_no_model_names_none() -> None:
    assert "models" not in machine.described(None)


def test_where_there_is_no_checkout_the_commit_is_unknown(tmp_path: Path) -> None:
    assert machine.commit(tmp_path) == "unknown"
