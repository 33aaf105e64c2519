import json
from pathlib import Path

import pytest

from benchmarks import tables


@pytest.mark.parametrize("page", tables.PAGES, ids=lambda page: page.parent.name)
def test_the_tables_of_a_page_are_those_of_the_committed_results(page: Path) -> None:
    text = page.read_text()
    assert "<!-- floor -->" in text
    assert tables.rendered(text) == text, "run `python -m benchmarks.tables`"


def test_every_table_has_its_place_on_some_page() -> None:
    pages = "".join(page.read_text() for page in tables.PAGES)
    assert [name for name in tables.TABLES if f"<!-- {name} -->" not in pages] == []


@pytest.mark.parametrize("path", sorted(tables.RESULTS.glob("*.json")), ids=lambda path: path.stem)
def test_a_result_names_its_machine_and_commit(path: Path) -> None:
    result = json.loads(path.read_text())
    # Peers are measured one at a time, each with the machine as it was.
    parts = [part for setups in result.get("peers", {}).values() for part in setups.values()]
    for part in parts if "peers" in result else [result]:
        assert {"processor", "cores", "commit", "measured_at"} <= part["machine"].keys()
