"""The drawings of an analysis as files, beside each other."""

import contextlib
from collections.abc import Mapping
from pathlib import Path

from dermserve_client import Client, ProblemError
from dermserve_client.analyses import File

_NAMES: tuple[File, ...] = ("mask.png", "overlay.png", "explanation.png")


def fetched(client: Client, analysis_id: str) -> dict[str, bytes]:
    """Fetch the drawings of an analysis as PNG files, by name."""
    found: dict[str, bytes] = {}
    for name in _NAMES:
        # There is no mask where nothing was outlined, and no explanation of no answer.
        with contextlib.suppress(ProblemError):
            found[name.removesuffix(".png")] = client.analyses.file(analysis_id, name)
    return found


def save(drawings: Mapping[str, bytes], out: Path, place: Path) -> None:
    """Save the drawings of a picture in a folder, where the picture lies in its own.

    Names of others may lead elsewhere; none leads out of the folder.
    """
    parts = [part for part in place.with_suffix("").parts if part not in {place.anchor, ".."}]
    stem = out.joinpath(*parts)
    stem.parent.mkdir(parents=True, exist_ok=True)
    for name, png in drawings.items():
        stem.with_name(f"{stem.name}.{name}.png").write_bytes(png)
