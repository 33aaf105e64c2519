"""What a result must carry so that it can be judged: machine, commit, moment, models."""

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from services.inference import model_file, repository
from services.inference.model_file import ModelError
from services.inference.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"

_MODELS = ("classifier", "segmenter")

_TOLD = 12
"""Digits of a SHA-256 that tell one file from another."""

_LOAD_BEFORE = os.getloadavg()[0]
"""Runnable processes, mean over the minute before this program began: 0 on a quiet machine."""


def write(name: str, result: dict[str, Any], *, models: Path | None) -> None:
    """Write ``results/<name>.json`` with the machine that it was measured on, and show it.

    Args:
        name: of the measurement.
        result: what was measured.
        models: see ``described``.

    """
    text = json.dumps({"machine": described(models), **result}, indent=1)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(text + "\n")
    print(text)


def served() -> Path:
    """Return the folder of the models that a service serves unless told otherwise."""
    return Settings().model_dir


def described(models: Path | None) -> dict[str, Any]:
    """Return processor, cores, Python, commit, time, the load that others made, and the models.

    Of a model that is the published file; what ran it, and which variant, a result says itself.

    Args:
        models: the folder of those that were served; None where none was, or none is published.

    """
    return {
        "load_average": round(_LOAD_BEFORE, 1),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "commit": commit(ROOT),
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        **({"models": [_stable(models, name) for name in _MODELS]} if models else {}),
    }


def commit(checkout: Path) -> str:
    """Return the commit of a checkout, with ``-dirty`` where it was changed since.

    Results and the tables made of them are no change: one measurement does not alter what the
    next one measures.
    """
    rendered = [f":(exclude){path}" for path in ("benchmarks/results", "*README.md")]
    changed = _git(checkout, "status", "--porcelain", "--untracked-files=no", "--", ".", *rendered)
    named = _git(checkout, "describe", "--always")
    return f"{named}-dirty" if named and changed else named or "unknown"


def _stable(models: Path, name: str) -> dict[str, str]:
    """Return version and published file of a model, or why they cannot be told.

    They are asked for when all is measured, which must not be lost to a folder.
    """
    try:
        folder = repository.stable(models, name)
        published = model_file.read(folder / "model.onnx")
    except (ModelError, OSError) as error:
        return {"name": name, "unknown": str(error)}
    return {"name": name, "version": folder.name, "sha256": published.sha256[:_TOLD]}


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def _git(checkout: Path, *arguments: str) -> str:
    command = ["git", *arguments]
    finished = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    return finished.stdout.strip()
