"""Where, when and with what figures were made, so that they can be made again."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from os import cpu_count
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from weights.evaluation.sample import Json

PACKAGES = (
    "isic-challenge-scoring",
    "keras",
    "matplotlib",
    "numpy",
    "onnx",
    "onnxruntime",
    "opencv-python-headless",
    "pillow",
    "tensorflow",
)


def circumstances(data: Path, options: str = "") -> Json:
    """Tell the circumstances of a run on the pictures in ``data``."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "command": f"python -m weights.evaluate {options}".strip(),
        "commit": _commit(),
        "split_sha256": hashlib.sha256((data / "ham10000.csv").read_bytes()).hexdigest(),
        "machine": {"processor": _processor(), "cores": cpu_count() or 1},
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
    }


def _commit() -> str:
    asked = ["git", "describe", "--always", "--abbrev=12", "--dirty"]
    answer = subprocess.run(  # noqa: S603 - our own words, no shell
        asked, capture_output=True, text=True, check=False, cwd=Path(__file__).parent
    )
    return answer.stdout.strip() or "unknown"


def _processor() -> str:
    """Return the processor's name."""
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.exists():
        return platform.processor() or platform.machine()
    lines = cpuinfo.read_text(encoding="utf-8").splitlines()
    return next((line.split(":")[1].strip() for line in lines if "model name" in line), "unknown")
