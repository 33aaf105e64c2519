"""The statistics of a gateway with much in it, in miniature."""

from pathlib import Path

from benchmarks import statistics
from tests.gateway import databases


async def test_all_that_is_kept_is_counted_in_each_scene(tmp_path: Path) -> None:
    with databases.folder() as folder, databases.postgres(folder) as server:
        found = await statistics.measured(server, tmp_path, rows=2_000, rounds=2)
    on_postgresql = found["postgresql"]
    whole = {whose: each["26 weeks"]["analyses"] for whose, each in on_postgresql.items()}
    own, in_ten, all_of_them = whole.values()
    assert 0 < own < in_ten < all_of_them == 2_000
    assert found["sqlite"]["the caller's own"]["26 weeks"]["analyses"] == 2_000
