"""What requests cost the gateway, in miniature."""

from pathlib import Path

import pytest

from benchmarks import requests


def test_every_kind_of_request_is_answered_and_costs_something(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DERMSERVE_INFERENCE_MODEL_DIR", str(tiny))
    found = requests.measured(rounds=1, requests=30)
    for name, kind in found["kinds"].items():
        assert kind["cpu_ms"] > 0, name
        assert kind["p50_ms"] > 0, name
    costs = {name: kind["cpu_ms"] for name, kind in found["kinds"].items()}
    assert {requests.UPLOAD, requests.SHORTEST, *requests.OWN} <= costs.keys()
    assert found["upload_above_its_own_cpu_ms"] < costs[requests.UPLOAD]
    assert found["upload_above_the_shortest_cpu_ms"] < costs[requests.UPLOAD]
