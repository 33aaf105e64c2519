"""The GPU's benchmark in miniature, on the processor."""

from pathlib import Path

import pytest

from benchmarks import gpu, tables
from benchmarks.tables import sources
from services.inference.backends.backend import CPU
from services.inference.settings import Settings, available_cores


async def test_every_batch_size_and_the_whole_pipeline_are_measured(tiny: Path) -> None:
    # With more runners than cores, some decode by the clock while others have the cores.
    asked = {"max_batch_size": 4, "execution_provider": "cpu", "runners": available_cores()}
    settings = Settings.model_validate({"model_dir": tiny, **asked})
    result = await gpu.measured(settings, seconds=0.05, pictures=12)
    assert not result["on_gpu"]
    assert list(result["pictures_a_second"]) == ["1", "2", "4"]
    for figures in result["pictures_a_second"].values():
        assert figures.keys() == {"service", CPU}
        assert min(figures.values()) > 0
    assert result["end_to_end_per_s"] > 0
    assert 0 < result["decode_share_of_cores"] <= 1


def test_without_a_result_the_table_says_that_it_was_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "RESULTS", tmp_path)
    page = tables.rendered("<!-- gpu -->\nold\n<!-- /gpu -->")
    assert "Not run" in page
    assert "old" not in page
