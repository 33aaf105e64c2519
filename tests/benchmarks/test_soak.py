"""A short run of what `python -m benchmarks.soak` does for long."""

from pathlib import Path

import pytest

from benchmarks import soak
from benchmarks.footprint import Footprint
from tests import tiny_models

REQUESTS = 200


async def test_of_some_hundred_mixed_requests_each_is_answered_as_it_must_be(
    tmp_path: Path,
) -> None:
    found = await soak.soaked(tiny_models.write_models(tmp_path), REQUESTS, callers=4, seed=2)
    assert found["surprises"] == []
    assert found["requests"] >= REQUESTS
    wrong = {"bomb", "cut off", "leaver", "no message", "no picture", "half a stream"}
    assert wrong & found["kinds"].keys()
    # In so short a run memory still settles, but what is opened and never closed shows at once.
    assert found["late"]["open_files"] <= found["early"]["open_files"] + 2
    assert found["late"]["threads"] <= found["early"]["threads"] + 2


def test_growth_is_from_the_early_to_the_late_window_and_not_that_of_the_warm_up() -> None:
    held = [100] * 25 + [200] * 25 + [220] * 25 + [210] * 26
    looks = [(done, Footprint(resident_mb, 18, 20)) for done, resident_mb in enumerate(held)]
    assert soak.growth(looks, requests=100) == pytest.approx(0.05)
