import subprocess
from pathlib import Path

import pytest

from benchmarks import machine


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


def test_where_there_is_no_checkout_the_commit_is_unknown(tmp_path: Path) -> None:
    assert machine.commit(tmp_path) == "unknown"
