"""What a result must carry so that it can be judged: the machine, the commit, the moment."""

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"

_LOAD_BEFORE = os.getloadavg()[0]
"""Runnable processes, mean over the minute before this program began: 0 on a quiet machine."""


def write(name: str, result: dict[str, Any]) -> None:
    """Write ``results/<name>.json`` with the machine that it was measured on, and show it."""
    text = json.dumps({"machine": described(), **result}, indent=1)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(text + "\n")
    print(text)


def described() -> dict[str, str | int | float]:
    """Return processor, cores, Python, commit, time, and the load that others made."""
    return {
        "load_average": round(_LOAD_BEFORE, 1),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "commit": commit(ROOT),
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
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


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def _git(checkout: Path, *arguments: str) -> str:
    command = ["git", *arguments]
    finished = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    return finished.stdout.strip()
