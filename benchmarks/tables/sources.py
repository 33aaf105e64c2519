"""Committed results, and how they are set into a table."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"


def result_of(name: str) -> Any:
    """Return what a benchmark has written; ``FileNotFoundError`` where it was not run."""
    return read(RESULTS / f"{name}.json")


def read(path: Path) -> Any:
    """Return what a JSON file holds."""
    return json.loads(path.read_text())


def table(rows: Sequence[Mapping[str, str]], source: str) -> str:
    """Return a table whose columns are the keys of its rows, and where it comes from."""
    lines = [list(rows[0]), ["---"] * len(rows[0]), *(list(row.values()) for row in rows)]
    return "\n".join([*(f"| {' | '.join(line)} |" for line in lines), "", source, ""])


def where(result: Any) -> str:
    """Return the machine, what else it did, the commit, and the models where they are named."""
    machine = result["machine"]
    models = [_model(each) for each in machine.get("models", ())]
    served = f", published models {' and '.join(models)}" if models else ""
    return (
        f"{machine['cores']} cores of {machine['processor']} (load average before: "
        f"{machine['load_average']}), commit {machine['commit']}{served}"
    )


def _model(named: Mapping[str, str]) -> str:
    if "unknown" in named:
        return f"{named['name']} (unknown: {named['unknown']})"
    return f"{named['name']} {named['version']} (SHA-256 {named['sha256']}…)"
