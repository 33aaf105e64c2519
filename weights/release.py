"""The folder of a published model: which version it is, and how its files get there whole."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MODELS = Path(__file__).parent / "models"
VERSIONS = {"classifier": "3", "segmenter": "3"}
"""What the next export is called. A version that has been shipped is never made anew."""

CHECKSUMS = "SHA256SUMS"
NETWORK = "network.weights.h5"
"""Beside each model: the trained weights in Keras's own format."""


def folder(models: Path, name: str) -> Path:
    """Return where the model ``name`` lies, with its card and whatever else belongs to it."""
    return models / name / VERSIONS[name]


def file(models: Path, name: str) -> Path:
    """Return the model's ONNX file."""
    return folder(models, name) / "model.onnx"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Offer a name to write to; it becomes ``path`` only if nothing fails.

    Its checksum is published beside it, in the format of ``sha256sum``: services refuse a
    file that is not the one it names.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    try:
        yield partial
        digest = hashlib.sha256(partial.read_bytes()).hexdigest()
        partial.replace(path)
        list_checksum(path, digest)
    finally:
        partial.unlink(missing_ok=True)


def list_checksum(path: Path, digest: str | None) -> None:
    """Write the SHA-256 of ``path`` into the list beside it, or with None strike it off.

    Other files of the list stay on it while they exist; the list is sorted by name.
    """
    checksums = path.with_name(CHECKSUMS)
    lines = checksums.read_text(encoding="utf-8").splitlines() if checksums.exists() else []
    listed = {name: known for known, name in (line.split(maxsplit=1) for line in lines)}
    kept = {name: known for name, known in listed.items() if path.with_name(name).exists()}
    kept.pop(path.name, None)
    if digest:
        kept[path.name] = digest
    text = "".join(f"{kept[name]}  {name}\n" for name in sorted(kept))
    checksums.write_text(text, encoding="utf-8")
