"""Metrics on and off in miniature: off is really off, and on again afterwards."""

from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Histogram

from benchmarks import instrumentation
from services.inference.settings import Settings


def test_instruments_do_nothing_while_they_are_unwatched() -> None:
    registry = CollectorRegistry()
    calls = Counter("calls_total", "Calls.", ["method"], registry=registry)
    seconds = Histogram("seconds", "Time.", registry=registry)
    with instrumentation.unwatched():
        calls.labels("Analyze").inc()
        seconds.observe(1)
    assert registry.get_sample_value("seconds_count") == 0
    assert registry.get_sample_value("calls_total", {"method": "Analyze"}) is None
    calls.labels("Analyze").inc()
    assert registry.get_sample_value("calls_total", {"method": "Analyze"}) == 1


async def test_both_ways_serve_and_are_compared_turn_by_turn(tiny: Path) -> None:
    result = await instrumentation.measured(Settings(model_dir=tiny), rounds=2, pictures=6)
    for ratio in (result["throughput_ratio"], result["cpu_ratio"]):
        assert 0 < ratio["low"] <= ratio["median"] <= ratio["high"]
