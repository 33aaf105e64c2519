from pathlib import Path

from benchmarks import swap
from tests import tiny_models


async def test_models_that_change_under_a_constant_rate_fail_nobody(tmp_path: Path) -> None:
    shipped = tiny_models.write_models(tmp_path / "shipped")
    model_dir = swap.two_versions(shipped, tmp_path / "copied")
    turns = (await swap.measured(model_dir, rounds=1, seconds=1))["turns"]
    assert [each["failed"] for each in turns.values()] == [0, 0, 0, 0]
    both = ["classifier 1", "classifier 2", "segmenter 1", "segmenter 2"]
    assert turns["as it is"]["versions"] == turns["a shadow"]["versions"] == both[::2]
    assert turns["a canary for half of the pictures"]["versions"] == both
