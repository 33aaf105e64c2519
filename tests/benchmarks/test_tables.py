import json
from pathlib import Path

import pytest

from benchmarks import tables
from benchmarks.tables import sources


@pytest.mark.parametrize("page", tables.PAGES, ids=lambda page: page.parent.name)
def test_the_tables_of_a_page_are_those_of_the_committed_results(page: Path) -> None:
    text = page.read_text()
    assert "<!-- floor -->" in text
    assert tables.rendered(text) == text, "run `python -m benchmarks.tables`"


def test_every_table_has_its_place_on_some_page() -> None:
    pages = "".join(page.read_text() for page in tables.PAGES)
    assert [name for name in tables.TABLES if f"<!-- {name} -->" not in pages] == []


@pytest.mark.parametrize("path", sorted(sources.RESULTS.glob("*.json")), ids=lambda path: path.stem)
def test_a_result_names_its_machine_and_commit(path: Path) -> None:
    result = json.loads(path.read_text())
    # Peers are measured one at a time, each with the machine as it was.
    parts = [part for setups in result.get("peers", {}).values() for part in setups.values()]
    for part in parts if "peers" in result else [result]:
        assert {"processor", "cores", "commit", "measured_at"} <= part["machine"].keys()


def test_a_table_says_what_else_the_machine_did_and_what_ran_the_models(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    overload = sources.result_of("overload")
    row = {
        "model": "classifier",
        "concurrency": 1,
        **dict.fromkeys(("rows_a_second", "throughput_to_bare", "p50_ms", "p99_ms"), 1.0),
        **dict.fromkeys(("queue_ms", "run_ms"), 1.0),
    }
    results = {
        "fuzz": sources.result_of("fuzz"),
        "overload": {**overload, "ran_on": ["segmenter OpenVINO int8", "classifier OpenVINO bf16"]},
        "open_inference": {"perf_analyzer": "2.59", "rows": [row]},
    }
    for name, result in results.items():
        machine = {**overload["machine"], "load_average": 7.25}
        (tmp_path / f"{name}.json").write_text(json.dumps({**result, "machine": machine}))
    monkeypatch.setattr(sources, "RESULTS", tmp_path)
    rendered = {name: tables.TABLES[name]() for name in ("fuzz", "open inference", "overload")}
    assert all("load average before: 7.2" in table for table in rendered.values())
    assert (
        "Models ran on segmenter OpenVINO int8, classifier OpenVINO bf16." in rendered["overload"]
    )
