"""Failures are named worst first, one a lesion."""

from __future__ import annotations

import numpy as np

from weights.classifier import LABELS
from weights.dataset import Picture
from weights.evaluation import failures


def picture(name: str, label: str, lesion: str) -> Picture:
    return Picture(name, "none.zip", lesion, label, 4, "drawn", mask_suspect=False)


PICTURES = [
    picture("one", "mel", "a"),
    picture("two", "mel", "a"),
    picture("three", "mel", "b"),
    picture("four", "nv", "c"),
]


def answers(*melanoma: float) -> np.ndarray:
    rows = np.zeros((len(melanoma), len(LABELS)))
    rows[:, LABELS.index("mel")] = melanoma
    rows[:, LABELS.index("nv")] = 1 - np.array(melanoma)
    return rows


def test_the_most_overlooked_melanoma_of_each_lesion_comes_first() -> None:
    targets = np.array([LABELS.index(p.label) for p in PICTURES])
    found = failures.of_labels(PICTURES, targets, answers(0.2, 0.1, 0.15, 0.8))
    assert [entry["picture"] for entry in found["melanomas"]] == ["two", "three"]
    assert found["melanomas"][0] == {
        "picture": "two",
        "diagnosis": "mel",
        "label": "nv",
        "probability": 0.9,
        "malignant_probability": 0.1,
    }


def test_a_benign_lesion_is_named_with_how_malignant_it_seemed() -> None:
    targets = np.array([LABELS.index(p.label) for p in PICTURES])
    found = failures.of_labels(PICTURES, targets, answers(0.2, 0.1, 0.15, 0.8))
    assert [(e["picture"], e["malignant_probability"]) for e in found["benign"]] == [("four", 0.8)]


def test_a_right_answer_is_no_failure() -> None:
    targets = np.array([LABELS.index(p.label) for p in PICTURES])
    found = failures.of_labels(PICTURES, targets, answers(0.9, 0.9, 0.3, 0.2))
    assert [entry["picture"] for entry in found["labels"]] == ["three"]


def test_outlines_are_named_by_least_overlap() -> None:
    found = failures.of_outlines(PICTURES, np.array([0.9, 0.5, 0.1, 0.7]))
    assert [entry["picture"] for entry in found] == ["three", "two", "four"]
    assert found[0]["jaccard"] == 0.1


def test_no_more_are_named_than_a_reader_looks_up() -> None:
    lesions = [str(k) for k in range(30)]
    assert len(failures.worst(np.arange(30.0), np.ones(30, bool), lesions)) == failures.COUNT
