"""What the file is, how fast, and how its figures can be made again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weights.card.markdown import bullets, number, paragraphs, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from weights.card.markdown import Json

MEBIBYTE = 2**20


def file(evaluation: Json) -> str:
    """Tell which file the card is about, so that it cannot be mistaken for another."""
    about, model = evaluation["file"], evaluation["model"]
    return bullets(
        [
            f"`{model['name']}/{model['version']}/{about['name']}`, version {model['version']}",
            f"{about['bytes'] / MEBIBYTE:.1f} MiB ({about['bytes']} bytes), ONNX, fp32",
            f"SHA-256 `{about['sha256']}`; `sha256sum -c SHA256SUMS` in its folder checks it",
        ]
    )


def variants(found: Sequence[Json]) -> str:
    """Write what smaller copies of the model cost and gain, and which are accepted."""
    rows = [
        [
            f"`{variant['file']}`",
            variant["kind"],
            f"{variant['bytes'] / MEBIBYTE:.1f} MiB",
            number(_score(variant)),
            number(variant["drop"]),
            f"{variant['median_ms']:.2f} ms",
            "yes" if variant["accepted"] else "no",
            variant["why"],
        ]
        for variant in found
    ]
    score = "Balanced accuracy" if "balanced_accuracy" in found[0] else "Thresholded Jaccard"
    return table(
        ["File", "Kind", "Size", score, "Drop", "Median of one picture", "Accepted", "Why"], rows
    )


def _score(variant: Json) -> float:
    return float(variant.get("balanced_accuracy", variant.get("thresholded_jaccard")))


def speed(evaluation: Json) -> str:
    """Tell how long one picture takes, and under what circumstances."""
    found, machine = evaluation["speed"], evaluation["made"]["machine"]
    return (
        f"ONNX Runtime on the CPU, fp32, threads={found['threads']}, batch {found['batch']}, "
        f"{machine['processor']} with {machine['cores']} cores: median {found['median_ms']} ms, "
        f"best {found['best_ms']} ms of {found['runs']} runs. Other work may have run on the "
        "machine at the time."
    )


def expected_input(model: Json) -> str:
    """Tell what the model takes."""
    size = model["input_size"]
    return (
        f"`image`: uint8, Nx{size}x{size}x3, {model['color_space']}. The whole frame is squashed "
        f"to the square (`{model['resize']}`); normalisation is part of the graph."
    )


def made(evaluation: Json) -> str:
    """Tell how to make the figures again."""
    found = evaluation["made"]
    packages = ", ".join(f"{name} {version}" for name, version in found["packages"].items())
    return paragraphs(
        f"`{found['command']}` on {found['date']} at commit {found['commit']}, "
        f"Python {found['python']}, {packages}. Every number above is read from `evaluation.json`.",
        "To make them again: check out that commit, put the data where `weights/README.md` says, "
        "and run `make evaluate`; it takes some minutes on two cores. The split is the table "
        f"`ham10000.csv` with SHA-256 `{found['split_sha256']}`. Nothing is drawn at random "
        "without a fixed seed; figures differ between processors in the last digits at most, "
        "speeds freely.",
        "Intervals hold 95 of 100 bootstrap draws of whole lesions (1,000 draws), because pictures "
        "of one lesion resemble each other. Where all pictures of a share agree, and a bootstrap "
        "could only agree with them, the exact binomial bound over lesions stands instead.",
    )
