import json
from pathlib import Path

import pytest

from benchmarks import machine, swap, tables
from benchmarks.tables import sources
from tests import tiny_models


async def test_models_that_change_under_a_constant_rate_fail_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Pictures that all come after a moment in which nothing ran are not too many for the service.
    monkeypatch.setenv("DERMSERVE_INFERENCE_MAX_QUEUE_SIZE", "10000")
    shipped = tiny_models.write_models(tmp_path / "shipped")
    model_dir = swap.two_versions(shipped, tmp_path / "copied")
    both = ["classifier 1", "classifier 2", "segmenter 1", "segmenter 2"]
    for seconds in (1.5, 15):  # a version may be long in coming on a busy machine
        result = await swap.measured(model_dir, rounds=1, seconds=seconds)
        turns = result["turns"]
        assert [each["failed"] for each in turns.values()] == [0, 0, 0, 0]
        swapped = turns["both models swapped again and again"]
        if swapped["versions"] == both and swapped["swaps"] >= 2:
            break
    assert turns["as it is"]["versions"] == turns["a shadow"]["versions"] == both[::2]
    assert turns["a canary for half of the pictures"]["versions"] == both
    assert swapped["swaps"] >= 2
    assert swapped["versions"] == both
    (tmp_path / "swap.json").write_text(json.dumps({"machine": machine.described(None), **result}))
    monkeypatch.setattr(sources, "RESULTS", tmp_path)
    assert "load average before: " in tables.TABLES["swap"]()
