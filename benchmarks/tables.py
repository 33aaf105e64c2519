"""Renders committed results into the tables of the READMEs, between markers.

python -m benchmarks.tables
"""

import json
import re
from collections.abc import Mapping, Sequence
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
    try:
        table = TABLES[name]()
    except FileNotFoundError:
        module = name.replace(" ", "_")
        table = f"Not run: `python -m benchmarks.{module}` measures it.\n"
    return f"<!-- {name} -->\n{table}<!-- /{name} -->"


def _floor() -> str:
    result = _read(RESULTS / "floor.json")
    rows = [
        {
            "road": name,
            "p50": f"{road['p50_ms']:.1f} ms",
            "p95": f"{road['p95_ms']:.1f} ms",
            "pictures/s": f"{road['pictures_a_second']:.0f}",
            "CPU a picture": f"{road['cpu_ms']:.1f} ms",
            **{f"{title} to both loops": _to_both(road, key) for title, key in _RATIOS.items()},
        }
        for name, road in result["roads"].items()
    ]
    memory = ", ".join(f"{name} {mb} MB" for name, mb in result["resident_mb"].items())
    ours, loops = (", ".join(result["ran_on"][road]) for road in ("gRPC", "whole answer"))
    differing = "" if ours == loops else f" (the loops differ: {loops})"
    source = (
        f"{result['pictures_a_road']} pictures a road one by one, then full load "
        f"({result['picture']}), in {result['rounds']} turns of one run of "
        f"`python -m benchmarks.floor` on {_where(result)}. Ratios: to the bare loop, to the whole "
        f"answer. Models ran on {ours}{differing}. Resident memory afterwards: {memory}. "
        f"Inference is ready {result['inference_ready_s']:.1f} s after its start."
    )
    return _table(rows, source)


_RATIOS = {"p50": "p50", "throughput": "throughput", "CPU": "cpu"}


def _to_both(road: dict[str, float], figure: str) -> str:
    return f"{road[f'{figure}_to_bare']:.2f}, {road[f'{figure}_to_whole']:.2f}"


def _table(rows: Sequence[Mapping[str, str]], source: str) -> str:
    """Return a table whose columns are the keys of its rows, and where it comes from."""
    lines = [list(rows[0]), ["---"] * len(rows[0]), *(list(row.values()) for row in rows)]
    return "\n".join([*(f"| {' | '.join(line)} |" for line in lines), "", source, ""])


def _where(result: Any) -> str:
    machine = result["machine"]
    return (
        f"{machine['cores']} cores of {machine['processor']} (load average before: "
        f"{machine['load_average']}), commit {machine['commit']}"
    )


def _overload() -> str:
    result = _read(RESULTS / "overload.json")
    rows = [
        {
            "load": f"{step['load']:g} x",
            "asked/s": f"{step['asked_per_s']:.0f}",
            "goodput/s": f"{step['goodput_per_s']:.0f}",
            "of peak": f"{step['goodput_to_peak']:.2f}",
            "answered, p50 and p99": _two_ms(step["answered_ms"]),
            "refused": str(step["statuses"].get("RESOURCE_EXHAUSTED", 0)),
            "refused, p50 and p99": _two_ms(step["refused_ms"]),
            "ran for nobody": str(step["ran_for_nobody"]),
            "memory": "{} to {} MB".format(*step["resident_mb"]),
            "client's CPU": f"{step['client_cpu_share']:.0%}",
        }
        for step in result["steps"]
    ]
    source = (
        f"Capacity {result['capacity_per_s']:.0f} pictures/s; {result['seconds_a_load']:g} s a "
        f"load, deadline {result['deadline_ms']:g} ms, {result['picture']}; client and service "
        f"on the same {_where(result)}. Made by `python -m benchmarks.overload`."
    )
    return _table(rows, source)


def _two_ms(percentiles: Mapping[str, float | None]) -> str:
    p50, p99 = percentiles["p50"], percentiles["p99"]
    return "-" if p50 is None or p99 is None else f"{p50:.0f}, {p99:.0f} ms"


def _instrumentation() -> str:
    result = _read(RESULTS / "instrumentation.json")
    per_s = result["pictures_a_second"]
    rows = [
        {
            "with metrics to without": word,
            "median": f"{result[key]['median']:.3f}",
            "quartiles": f"{result[key]['low']:.3f} to {result[key]['high']:.3f}",
        }
        for word, key in (("throughput", "throughput_ratio"), ("CPU a picture", "cpu_ratio"))
    ]
    source = (
        f"{per_s['on']:.1f} pictures/s with and {per_s['off']:.1f} without, {result['rounds']} "
        f"turns of {result['pictures_a_turn']} pictures each, on {_where(result)}. Made by "
        f"`python -m benchmarks.instrumentation`."
    )
    return _table(rows, source)


def _gpu() -> str:
    result = _read(RESULTS / "gpu.json")
    rows = [
        {"batch": size, **{f"{name}, pictures/s": f"{n:.0f}" for name, n in figures.items()}}
        for size, figures in result["pictures_a_second"].items()
    ]
    source = (
        f"Whole pipeline on {result['execution_provider']}: {result['end_to_end_per_s']:.0f} "
        f"pictures/s, {result['end_to_end_to_bare']:.2f} of the bare loop's best. Decoding takes "
        f"{result['decode_ms']:.1f} ms a picture, {result['decode_share_of_cores']:.0%} of all "
        f"cores' time. On {_where(result)}. Made by `python -m benchmarks.gpu`."
    )
    return _table(rows, source)


def _backends() -> str:
    result = _read(RESULTS / "backends.json")
    rows = [
        {
            "through": unit,
            "backend": backend,
            "alone, pictures/s": f"{found['alone']['pictures_a_second']:.0f}",
            "to cpu fp32": f"{found['alone']['to_reference']:.2f}",
            "side by side, pictures/s": f"{found['side_by_side']['pictures_a_second']:.0f}",
            "to cpu fp32 ": f"{found['side_by_side']['to_reference']:.2f}",
            "largest difference": ", ".join(
                f"{name} {difference:g}"
                for name, difference in result["differences"].get(unit, {}).get(backend, {}).items()
                if name in {"mask", "probabilities", "novelty"}
            ),
        }
        for unit, backends in result["candidates"].items()
        for backend, found in backends.items()
    ]
    elected = result["elected"]
    source = (
        f"{result['pictures_a_candidate']} pictures each, in turns, {result['runs_side_by_side']} "
        f"runs side by side. The service then chose {elected['segmenter']} for the segmenter and "
        f"{elected['classifier']} for the classifier, {elected['layout']}, in "
        f"{elected['seconds']:.1f} s. Not here: {', '.join(result['not_here'])}. "
        f"On {_where(result)}. Made by `python -m benchmarks.backends`."
    )
    return _table(rows, source)


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


def _soak() -> str:
    result = _read(RESULTS / "soak.json")
    names = {"resident_mb": "resident memory, MB", "open_files": "open files", "threads": "threads"}
    rows = [
        {
            "median of the window": name,
            "early": f"{result['early'][key]:g}",
            "late": f"{result['late'][key]:g}",
        }
        for key, name in names.items()
    ]
    source = (
        f"{result['requests']:,} requests in {result['seconds']} s, models {result['models']}, "
        f"{result['surprised']} answered otherwise than they must be. Memory grew by "
        f"{result['resident_growth']:.1%} from the second to the last quarter of the run."
    )
    return _table(rows, f"{source} On {_where(result)}. Made by `python -m benchmarks.soak`.")


def _open_inference() -> str:
    result = _read(RESULTS / "open_inference.json")
    machine = result["machine"]
    rows = [
        "| model | concurrent | rows/s | to bare loop | p50 | p99 | of it waiting | running |",
        "|---|---|---|---|---|---|---|---|",
    ]
    rows += [
        f"| {row['model']} | {row['concurrency']} | {row['rows_a_second']:.0f} "
        f"| {row['throughput_to_bare']:.2f} | {row['p50_ms']:.1f} ms | {row['p99_ms']:.1f} ms "
        f"| {row['queue_ms']:.1f} ms | {row['run_ms']:.1f} ms |"
        for row in result["rows"]
    ]
    source = (
        f"perf_analyzer {result['perf_analyzer']}, one row a request, on {machine['cores']} cores "
        f"of {machine['processor']} that the client shares, commit {machine['commit']}. Waiting "
        f"and running are means, from the service's own statistics."
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


def _swap() -> str:
    result = _read(RESULTS / "swap.json")
    machine = result["machine"]
    rows = [
        "| models | swaps | pictures | failed | p50 | p99 | p50 to as it is | p99 to as it is |",
        "|---|---|---|---|---|---|---|---|",
    ]
    rows += [
        f"| {name} | {turns['swaps']} | {turns['pictures']} | {turns['failed']} "
        f"| {turns['p50_ms']:.1f} ms | {turns['p99_ms']:.1f} ms "
        f"| {turns['p50_to_steady']:.2f} | {turns['p99_to_steady']:.2f} |"
        for name, turns in result["turns"].items()
    ]
    source = (
        f"{result['rate']:.0f} pictures a second ({result['picture']}), half of what it can do, at "
        f"a constant rate, in turns in one run on {machine['cores']} cores of "
        f"{machine['processor']}, commit {machine['commit']}."
    )
    return "\n".join([*rows, "", source, ""])


TABLES = {
    "backends": _backends,
    "floor": _floor,
    "fuzz": _fuzz,
    "soak": _soak,
    "gpu": _gpu,
    "instrumentation": _instrumentation,
    "models": _models,
    "open inference": _open_inference,
    "overload": _overload,
    "peers": _peers,
    "swap": _swap,
}
_MARKED = re.compile(rf"<!-- (?P<name>{'|'.join(TABLES)}) -->\n.*?<!-- /(?P=name) -->", re.DOTALL)


def _read(path: Path) -> Any:
    return json.loads(path.read_text())


if __name__ == "__main__":
    render()
