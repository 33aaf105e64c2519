"""Diagrams are small files that say in words what they show, the same bytes every time."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from weights.classifier import LABELS
from weights.evaluation import classification, diagrams
from weights.evaluation.classification import Thresholds

NAMESPACE = "{http://www.w3.org/2000/svg}"
SMALL = 60 * 1024


def words_in(file: Path) -> set[str]:
    root = ET.fromstring(file.read_text(encoding="utf-8"))  # noqa: S314 - our own file
    return {"".join(text.itertext()).strip() for text in root.iter(f"{NAMESPACE}text")}


def draw(folder: Path) -> dict[str, str]:
    """Draw the diagrams of two thousand made-up answers, as many as the report fold has."""
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(2)
    targets = rng.choice(len(LABELS), 2000, p=[0.03, 0.05, 0.11, 0.01, 0.11, 0.68, 0.01])
    scores = rng.normal(0, 1, (2000, len(LABELS))) + 2 * np.eye(len(LABELS))[targets]
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    names, thresholds = [str(k) for k in range(2000)], Thresholds(0.25)
    report = classification.figures(targets, probabilities, names, thresholds)
    report["reliability"] = classification.reliability(targets, probabilities, names)
    return diagrams.draw_classifier(folder, report, targets, probabilities, thresholds)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    folder = tmp_path_factory.mktemp("diagrams")
    return folder, draw(folder)


def test_every_diagram_is_small_and_has_words_for_who_cannot_see_it(
    drawn: tuple[Path, dict[str, str]],
) -> None:
    folder, titles = drawn
    assert {file.name for file in folder.iterdir()} == set(titles)
    assert all(titles.values())
    assert max(file.stat().st_size for file in folder.iterdir()) < SMALL


def test_the_roc_diagram_names_labels_and_the_operating_point(
    drawn: tuple[Path, dict[str, str]],
) -> None:
    words = words_in(drawn[0] / "roc.svg")
    assert "suspicious: from 0.250 on" in words
    for label in LABELS:
        assert any(word.startswith(f"{label} 0.") for word in words)


def test_the_confusion_diagram_holds_every_label_twice(
    drawn: tuple[Path, dict[str, str]],
) -> None:
    assert set(LABELS) | {"Label given", "Diagnosis"} <= words_in(drawn[0] / "confusion.svg")


def test_a_diagram_is_the_same_to_the_byte(
    drawn: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    draw(tmp_path)
    for file in drawn[0].iterdir():
        assert (tmp_path / file.name).read_bytes() == file.read_bytes()


def test_a_diagram_has_paper_of_its_own_so_that_it_reads_on_a_dark_page(
    drawn: tuple[Path, dict[str, str]],
) -> None:
    for file in drawn[0].iterdir():
        assert "fill: #ffffff" in file.read_text(encoding="utf-8")


def test_outlines_are_drawn_for_every_split(tmp_path: Path) -> None:
    values = np.random.default_rng(3).random(2000)
    titles = diagrams.draw_segmenter(tmp_path, {"One": values, "Other": values**2})
    assert {"One", "Other", "Jaccard"} <= words_in(tmp_path / "jaccard.svg")
    assert (tmp_path / "jaccard.svg").stat().st_size < SMALL
    assert list(titles) == ["jaccard.svg"]
