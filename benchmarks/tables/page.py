"""The pages that have tables, and the markers between which they stand."""

import re
from collections.abc import Callable, Mapping

from benchmarks.tables import (
    backends,
    floor,
    fuzz,
    gpu,
    hospital,
    instrumentation,
    models,
    open_inference,
    overload,
    pages,
    peers,
    records,
    reports,
    requests,
    schemathesis,
    soak,
    swap,
    workers,
)
from benchmarks.tables.sources import ROOT

PAGES = (ROOT / "README.md", ROOT / "benchmarks" / "README.md")

TABLES: Mapping[str, Callable[[], str]] = {
    "backends": backends.rendered,
    "floor": floor.rendered,
    "fuzz": fuzz.rendered,
    "gpu": gpu.rendered,
    "hospital": hospital.rendered,
    "instrumentation": instrumentation.rendered,
    "models": models.rendered,
    "open inference": open_inference.rendered,
    "overload": overload.rendered,
    "pages": pages.rendered,
    "peers": peers.rendered,
    "records": records.rendered,
    "reports": reports.rendered,
    "requests": requests.rendered,
    "schemathesis": schemathesis.rendered,
    "soak": soak.rendered,
    "swap": swap.rendered,
    "workers": workers.rendered,
}
_MARKED = re.compile(rf"<!-- (?P<name>{'|'.join(TABLES)}) -->\n.*?<!-- /(?P=name) -->", re.DOTALL)


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
