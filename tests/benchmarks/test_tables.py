import json
from pathlib import Path

import pytest

from benchmarks import tables


@pytest.mark.parametrize("page", tables.PAGES, ids=lambda page: page.parent.name)
def test_the_tables_of_a_page_are_those_of_the_committed_results(page: Path) -> None:
    text = page.read_text()
    assert "<!-- floor -->" in text
    assert tables.rendered(text) == text, "run `python -m benchmarks.tables`"


@pytest.mark.parametrize(
    "result", sorted(tables.RESULTS.glob("*.json")), ids=lambda path: path.stem
)
def test_a_result_names_its_machine_and_commit(result: Path) -> None:
    machine = json.loads(result.read_text())["machine"]
    assert {"processor", "cores", "commit", "measured_at"} <= machine.keys()
