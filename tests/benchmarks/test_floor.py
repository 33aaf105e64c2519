"""The floor in miniature: every road is driven, and what it cost is positive."""

import os
import subprocess
from pathlib import Path

import pytest

from benchmarks import floor, loops, roads
from benchmarks.processor import Meter
from benchmarks.saturation import saturated
from services.inference.settings import Settings
from services.pb import inference_pb2 as pb
from tests import specimens, stack


def test_the_whole_answer_says_what_the_service_says(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DERMSERVE_INFERENCE_MODEL_DIR", str(tiny))
    for name, value in floor.ALIKE.items():
        monkeypatch.setenv(name, value)
    picture = specimens.lesion_jpeg()
    with stack.running() as services, loops.models(Settings()) as models:
        with roads.inference(services.inference) as stub:
            served = stub.Analyze(pb.AnalyzeRequest(image=picture), timeout=120)
        written = loops.whole(*models)(picture)
        assert isinstance(written, bytes)
        alone = pb.AnalyzeResponse.FromString(written)
    for answer in (served, alone):
        answer.ClearField("timings")
    assert alone == served


def test_every_road_is_measured_against_both_loops(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DERMSERVE_INFERENCE_MODEL_DIR", str(tiny))
    pictures = [specimens.lesion_jpeg(seed=seed) for seed in range(2)]
    # Medians of three: a moment in which the machine does nothing of all this may fall on one.
    result = floor.measured(pictures, rounds=3, seconds=0.2)
    over_grpc = [floor.THINNEST, floor.FIGURES, floor.GRPC]
    assert list(result["roads"]) == [floor.BARE, floor.WHOLE, *over_grpc, floor.REST]
    for road in result["roads"].values():
        assert all(figure > 0 for name, figure in road.items() if name != "callers_cpu_ms"), road
    asked = [road for road, figures in result["roads"].items() if figures["callers_cpu_ms"]]
    assert asked == [*over_grpc, floor.REST]
    assert result["roads"][floor.BARE]["cpu_to_bare"] == 1
    assert len(result["ran_on"][floor.GRPC]) == 2


def test_full_load_counts_every_picture_and_its_processor_time() -> None:
    began: list[bytes] = []

    def road(picture: bytes) -> object:
        began.append(picture)
        return sum(range(20_000))

    seconds = 0.3
    meter = Meter([os.getpid()])
    full = saturated(road, [b"one", b"two"], callers=2, seconds=seconds, meter=meter)
    assert 0 < full.per_s * seconds <= len(began)
    assert 0 < full.cpu_s < 0.3
    assert full.callers_s == pytest.approx(full.cpu_s, rel=0.2)


def test_a_process_that_is_gone_has_no_processor_time() -> None:
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    with pytest.raises(ProcessLookupError, match=f"no process {gone.pid}"):
        Meter([os.getpid(), gone.pid])


def test_a_road_that_fails_is_told_and_not_counted() -> None:
    def road(picture: bytes) -> object:
        raise RuntimeError(picture.decode())

    with pytest.raises(RuntimeError, match="broken"):
        saturated(road, [b"broken"], callers=2, seconds=0.1, meter=Meter([os.getpid()]))
