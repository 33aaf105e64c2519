"""Overload in miniature, and what is made of what callers saw."""

from pathlib import Path

import pytest

from benchmarks import overload
from benchmarks.open_loop import Asked, Step
from services.inference.settings import available_cores


def asked(status: str, *latencies_ms: float) -> list[Asked]:
    return [Asked(status, latency / 1000, 0.0) for latency in latencies_ms]


def test_goodput_is_what_came_within_the_deadline() -> None:
    told = Step(asked("OK", 100, 200, 499, 501) + asked("DEADLINE_EXCEEDED", 500), cpu_s=0.2)
    seen = overload.summary(told, seconds=2, deadline_s=0.5)
    assert seen["goodput_per_s"] == 1.5
    assert seen["statuses"] == {"OK": 4, "DEADLINE_EXCEEDED": 1}


def test_refusals_have_a_histogram_of_their_own() -> None:
    told = Step(asked("OK", 300) + asked("RESOURCE_EXHAUSTED", 0.4, 2, 2.1, 400), cpu_s=0.2)
    seen = overload.summary(told, seconds=2, deadline_s=0.5)
    filled = {name: count for name, count in seen["refused_histogram"].items() if count}
    assert filled == {"<= 1 ms": 1, "<= 2 ms": 1, "<= 5 ms": 1, "> 100 ms": 1}
    assert seen["refused_ms"]["p50"] == pytest.approx(2.05)


def test_a_service_that_is_asked_for_too_much_answers_or_refuses_everybody(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DERMSERVE_INFERENCE_MODEL_DIR", str(tiny))
    # Few more than those who measure how much it can do: a slow machine is soon full, too.
    places = {"DERMSERVE_INFERENCE_MAX_QUEUE_SIZE": str(4 * available_cores() + 4)}
    result = overload.measured(seconds=0.5, deadline_s=30, loads=(0.5, 8), turns=2, **places)
    calm, flood = result["steps"]
    # Of half a request, which of its neighbours is asked is for rounding to say, at each turn.
    rate, seconds = flood["asked_per_s"], result["seconds_a_load"]
    assert sum(flood["statuses"].values()) == pytest.approx(rate * seconds, abs=1.1)
    assert set(flood["statuses"]) <= {"OK", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED"}
    assert flood["statuses"]["RESOURCE_EXHAUSTED"] > 0
    assert calm["goodput_per_s"] > 0
    assert [ran.split()[0] for ran in result["ran_on"]] == ["segmenter", "classifier"]
    assert max(step["goodput_to_peak"] for step in result["steps"]) == 1
