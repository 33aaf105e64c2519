"""Renders committed results into the tables of the READMEs, between markers.

python -m benchmarks.tables
"""

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PAGES = (ROOT / "README.md", ROOT / "benchmarks" / "README.md")


def render() -> None:
    """Write every table anew into every page that has its markers."""
    for page in PAGES:
        page.write_text(rendered(page.read_text()))


def rendered(page: str) -> str:
    """Return a page with its tables renewed from the results."""
    return _MARKED.sub(_renewed, page)


def _renewed(found: re.Match[str]) -> str:
    name = found["name"]
    return f"<!-- {name} -->\n{_TABLES[name]()}<!-- /{name} -->"


def _floor() -> str:
    result = _read(RESULTS / "floor.json")
    machine = result["machine"]
    rows = [
        "| road | p50 | p95 | p50 to bare loop | pictures/s, saturated | to bare loop |",
        "|---|---|---|---|---|---|",
    ]
    rows += [
        f"| {name} | {road['p50_ms']:.1f} ms | {road['p95_ms']:.1f} ms "
        f"| {road['p50_to_floor']:.2f} | {road['pictures_a_second']:.0f} "
        f"| {road['throughput_to_floor']:.2f} |"
        for name, road in result["roads"].items()
    ]
    memory = ", ".join(f"{name} {mb} MB" for name, mb in result["resident_mb"].items())
    source = (
        f"{result['pictures_a_road']} pictures a road ({result['picture']}), in turns in one run "
        f"of `make bench` on {machine['cores']} cores of {machine['processor']}, commit "
        f"{machine['commit']}. Resident memory afterwards: {memory}."
    )
    return "\n".join([*rows, "", source, ""])


def _models() -> str:
    return ""


_TABLES = {"floor": _floor, "models": _models}
_MARKED = re.compile(r"<!-- (?P<name>floor|models) -->\n.*?<!-- /(?P=name) -->", re.DOTALL)


def _read(path: Path) -> Any:
    return json.loads(path.read_text())


if __name__ == "__main__":
    render()
