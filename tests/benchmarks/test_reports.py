import json
from pathlib import Path

import pytest

from benchmarks import machine, reports, tables
from benchmarks.tables import sources


async def test_every_kind_of_report_is_timed_and_fifty_at_once_are_weighed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "_MOST_ROWS", 20)
    result = await reports.measured(rounds=1, reports=2)
    assert result["kinds"].keys() == reports.kinds().keys()
    assert all(kind["p50_ms"] > 0 for kind in result["kinds"].values())
    one_page = result["kinds"]["an analysis with all that a record needs, one page"]
    assert (one_page["pages"], one_page["reports"]) == (1, 2)
    memory = result["memory"]
    assert memory["at_once_peak_mb"] >= memory["idle_mb"] > 0
    (tmp_path / "reports.json").write_text(
        json.dumps({"machine": machine.described(None), **result})
    )
    monkeypatch.setattr(sources, "RESULTS", tmp_path)
    assert "50 reports asked for at once" in tables.TABLES["reports"]()
