"""Figures to look at, as small SVG files beside the model card.

The same numbers give the same bytes. The paper is white, so that a diagram
reads the same on a dark page; words stay words, so that files stay small.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from weights import calibrate, metrics
from weights.classifier import LABELS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from weights.evaluation.classification import Thresholds
    from weights.evaluation.sample import Json

STYLE = {
    "svg.hashsalt": "dermserve",  # ids that do not change from run to run
    "svg.fonttype": "none",
    "font.family": ["DejaVu Sans", "sans-serif"],
    "font.size": 9,
    "path.simplify_threshold": 0.5,  # half a point: finer steps of a curve cannot be seen
    "axes.grid": True,
    "grid.color": "0.9",
    "axes.spines.top": False,
    "axes.spines.right": False,
}
COLORS = ("#332288", "#88ccee", "#44aa99", "#117733", "#cc6677", "#aa4499", "#999933")
"""Seven that the color-blind tell apart (Paul Tol's muted scheme)."""


def draw_classifier(
    folder: Path,
    report: Json,
    targets: np.ndarray,
    probabilities: np.ndarray,
    thresholds: Thresholds,
) -> dict[str, str]:
    """Draw what there is to see about a classifier on the report fold.

    Returns the written files' names, each with the words for who cannot see it.
    """
    with _sheet(folder / "reliability.svg", 2) as (one, other):
        _reliability(one, report["reliability"]["label"], "Label given")
        _reliability(other, report["reliability"]["malignant"], "akiec + bcc + mel")
    with _sheet(folder / "confusion.svg", 1) as (axes,):
        _confusion(axes, np.array(report["confusion"]))
    with _sheet(folder / "roc.svg", 2) as (one, other):
        _roc_of_labels(one, targets, probabilities, report)
        _roc_of_malignant(other, targets, probabilities, report, thresholds)
    return {
        "reliability.svg": "Reliability diagrams of the label given and of malignancy",
        "confusion.svg": "Confusion matrix",
        "roc.svg": "ROC curves of each label against the rest, and of malignancy",
    }


def draw_segmenter(folder: Path, jaccards: Mapping[str, np.ndarray]) -> dict[str, str]:
    """Draw how Jaccard indices (one array a split, by its title) are distributed."""
    with _sheet(folder / "jaccard.svg", 1) as (axes,):
        for (title, values), color in zip(jaccards.items(), (COLORS[0], COLORS[4]), strict=True):
            shares = np.arange(1, len(values) + 1) / len(values)
            axes.plot(np.sort(values), shares, color=color, label=title)
        axes.axvline(metrics.JACCARD_THRESHOLD, color="0.4", linestyle=":")
        axes.set(xlabel="Jaccard", ylabel="Share of pictures at or below", xlim=(0, 1), ylim=(0, 1))
        axes.legend(frameon=False, loc="upper left")
    return {"jaccard.svg": "Distribution of the Jaccard index"}


@contextmanager
def _sheet(path: Path, count: int) -> Iterator[Sequence[Axes]]:
    """Offer axes side by side; what was drawn on them becomes the file ``path``."""
    with mpl.rc_context(STYLE):  # type: ignore[arg-type] # its keys are a closed list of words
        figure = Figure(figsize=(4.2 * count, 3.9), layout="constrained")
        yield figure.subplots(1, count, squeeze=False)[0].tolist()
        figure.savefig(path, format="svg", facecolor="white", metadata={"Date": None})


def _diagonal(axes: Axes) -> None:
    axes.plot([0, 1], [0, 1], color="0.6", linestyle=":", linewidth=1)
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")


def _reliability(axes: Axes, bins: Sequence[Json], title: str) -> None:
    """Draw each bin as a point with its interval, larger where it holds more pictures."""
    sure = np.array([entry["sure"] for entry in bins])
    right, low, high = (
        np.array([entry["right"][key] for entry in bins]) for key in ("value", "low", "high")
    )
    sizes = np.array([entry["pictures"] for entry in bins])
    _diagonal(axes)
    axes.vlines(sure, low, high, color=COLORS[0], linewidth=1, clip_on=False)
    areas = 10 + 150 * sizes / sizes.max()
    axes.scatter(sure, right, s=areas, color=COLORS[0], alpha=0.8, clip_on=False, zorder=3)
    axes.set(title=title, xlabel="Probability given", ylabel="Share that came true")


def _confusion(axes: Axes, counts: np.ndarray) -> None:
    """Draw counts, colored by the share of their row."""
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.grid(visible=False)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    places = range(len(LABELS))
    axes.set(xlabel="Label given", ylabel="Diagnosis")
    axes.set_xticks(places, LABELS)
    axes.set_yticks(places, LABELS)
    for row in places:
        for column in places:
            color = "white" if shares[row, column] > 0.5 else "black"  # noqa: PLR2004 - half dark
            axes.text(column, row, str(counts[row, column]), ha="center", va="center", color=color)


def _roc_of_labels(
    axes: Axes, targets: np.ndarray, probabilities: np.ndarray, report: Json
) -> None:
    _diagonal(axes)
    for place, label in enumerate(LABELS):
        area = report["labels"][label]["auc"]["value"]
        if area is None:
            continue
        curve = metrics.roc(targets == place, probabilities[:, place])
        axes.plot(*curve, color=COLORS[place], linewidth=1.2, label=f"{label} {area:.3f}")
    axes.set(title="Each label against the rest", xlabel="1 - specificity", ylabel="Sensitivity")
    axes.legend(frameon=False, title="AUC", loc="lower right")


def _roc_of_malignant(
    axes: Axes,
    targets: np.ndarray,
    probabilities: np.ndarray,
    report: Json,
    thresholds: Thresholds,
) -> None:
    malignant = calibrate.is_malignant(targets)
    point = {key: report["suspicious"][key]["value"] for key in ("sensitivity", "specificity")}
    curve = metrics.roc(malignant, calibrate.malignant_probability(probabilities))
    _diagonal(axes)
    axes.plot(*curve, color=COLORS[4], linewidth=1.2)
    if None not in point.values():
        axes.plot(
            [1 - point["specificity"]],
            [point["sensitivity"]],
            "o",
            color="black",
            label=f"suspicious: from {thresholds.suspicious:.3f} on",
        )
        axes.legend(frameon=False, loc="lower right")
    axes.set(title="akiec + bcc + mel", xlabel="1 - specificity", ylabel="Sensitivity")
