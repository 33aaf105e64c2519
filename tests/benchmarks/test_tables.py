import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

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


def machines() -> Iterator[Any]:
    """Every machine that a committed result was measured on."""
    for path in sorted(sources.RESULTS.glob("*.json")):
        result = json.loads(path.read_text())
        # Peers are measured one at a time, each with the machine as it was.
        for peer, setups in result.get("peers", {}).items():
            for setup, part in setups.items():
                yield pytest.param(part["machine"], id=f"{peer}, {setup}")
        if "peers" not in result:
            yield pytest.param(result["machine"], id=path.stem)


@pytest.mark.parametrize("machine", [*machines()])
def test_a_result_names_its_machine_and_commit(machine: Mapping[str, Any]) -> None:
    assert {"processor", "cores", "commit", "measured_at"} <= machine.keys()


@pytest.mark.parametrize("machine", [*machines()])
def test_a_result_was_measured_with_what_is_in_its_commit(machine: Mapping[str, Any]) -> None:
    assert not machine["commit"].endswith("-dirty")


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
