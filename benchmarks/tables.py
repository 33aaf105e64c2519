"""Renders committed results into the tables of the READMEs, between markers.

python -m benchmarks.tables
"""

import json
import re
from pathlib import Path
from typing import Any

from benchmarks.peers import table as peers_table

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
        f"{machine['commit']}. Resident memory afterwards: {memory}. "
        f"Inference is ready {result['inference_ready_s']:.1f} s after its start."
    )
    return "\n".join([*rows, "", source, ""])


def _models() -> str:
    rows = ["| model | measured on held-out lesions | value | 95 % interval |", "|---|---|---|---|"]
    sources = []
    for name, figures in _FIGURES.items():
        versions = (ROOT / "weights" / "models" / name).glob("*/evaluation.json")
        evaluation = _read(max(versions, key=lambda path: int(path.parent.name)))
        for path, words in figures.items():
            figure = evaluation["results"]
            for key in path.split("."):
                figure = figure[key]
            rows.append(
                f"| {name} | {words} | {figure['value']:.3f} "
                f"| {figure['low']:.3f} to {figure['high']:.3f} |"
            )
        speed = evaluation["speed"]["median_ms"]
        sources.append(f"the {name} takes {speed:.1f} ms a picture on one thread")
    made = evaluation["made"]
    source = (
        f"HAM10000 fold 4, split by lesion, intervals by bootstrap over lesions; made by "
        f"`make evaluate`. On {made['machine']['processor']}, {' and '.join(sources)}."
    )
    return "\n".join([*rows, "", source, ""])


def _fuzz() -> str:
    result = _read(RESULTS / "fuzz.json")
    codes = sorted({code for counts in result["statuses"].values() for code in counts})
    rows = [f"| method | {' | '.join(codes)} |", "|---" * (len(codes) + 1) + "|"]
    rows += [
        f"| {method} | {' | '.join(str(counts.get(code, 0)) for code in codes)} |"
        for method, counts in result["statuses"].items()
    ]
    memory = result["resident_mb"]
    source = (
        f"{result['messages']:,} messages from seed {result['seed']}, {result['unclean']} answered "
        f"with another status; the service then answered right. Resident memory: "
        f"{memory['warm']:.0f} MB after a fifth of them, {memory['at the end']:.0f} MB at the end."
    )
    return "\n".join([*rows, "", source, ""])


_FIGURES = {
    "classifier": {
        "report_fold.balanced_accuracy": "balanced accuracy, seven classes",
        "report_fold.macro_auc": "AUC, mean over classes",
        "report_fold.expected_calibration_error": "expected calibration error, 15 bins",
        "report_fold.suspicious.sensitivity": "`suspicious`: sensitivity for akiec, bcc, mel",
        "report_fold.suspicious.specificity": "`suspicious`: specificity",
        "report_fold.suspicious.melanoma_sensitivity": "`suspicious`: sensitivity for melanoma",
    },
    "segmenter": {
        "product.report_fold.mean_dice": "outline, mean Dice",
        "product.report_fold.mean_jaccard": "outline, mean Jaccard",
        "product.report_fold.thresholded_jaccard": "outline, mean Jaccard, 0 below 0.65",
    },
}


def _peers() -> str:
    return peers_table.rendered(_read(RESULTS / "peers.json"))


_TABLES = {"floor": _floor, "fuzz": _fuzz, "models": _models, "peers": _peers}
_MARKED = re.compile(rf"<!-- (?P<name>{'|'.join(_TABLES)}) -->\n.*?<!-- /(?P=name) -->", re.DOTALL)


def _read(path: Path) -> Any:
    return json.loads(path.read_text())


if __name__ == "__main__":
    render()
