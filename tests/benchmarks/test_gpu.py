"""The GPU's benchmark in miniature, on the processor."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import onnxruntime as ort
import pytest

from benchmarks import bare, gpu, machine, tables
from benchmarks.bare import NotHereError
from benchmarks.tables import sources
from services.inference import model_file
from services.inference.backends.backend import CPU, CUDA, TENSORRT, BackendError
from services.inference.backends.layout import Layout
from services.inference.backends.onnxruntime_cuda import OnnxRuntimeCuda
from services.inference.settings import Settings, available_cores
from tests import tiny_models


def settings(model_dir: Path, **asked: Any) -> Settings:
    # With more runners than cores, some decode by the clock while others have the cores.
    asked |= {"execution_provider": "cpu", "runners": available_cores()}
    return Settings.model_validate({"model_dir": model_dir, **asked})


async def test_every_batch_size_and_the_whole_pipeline_are_measured(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = await gpu.measured(settings(tiny, max_batch_size=4), seconds=0.05, pictures=12)
    assert not result["on_gpu"]
    measured = result["precisions"]["fp32"]
    assert list(measured["pictures_a_second"]) == ["1", "2", "4"]
    for figures in measured["pictures_a_second"].values():
        assert {"service", CPU} <= figures.keys()
        assert min(figures.values()) > 0
    assert measured["end_to_end_per_s"] > 0
    assert 0 < measured["decode_share_of_cores"] <= 1
    assert "cannot serve here" in result["not_run"]["fp16"]
    (tmp_path / "gpu.json").write_text(json.dumps({"machine": machine.described(tiny), **result}))
    monkeypatch.setattr(sources, "RESULTS", tmp_path)
    table = tables.TABLES["gpu"]()
    assert "| fp32 | 4 |" in table
    assert "Not run: fp16 (" in table


async def test_a_variant_that_was_accepted_is_measured_and_bare_beside_it(tmp_path: Path) -> None:
    tiny_models.write_models(tmp_path)
    for name, variant in (
        ("segmenter", tiny_models.segmenter()),
        ("classifier", tiny_models.classifier()),
    ):
        tiny_models.publish_variant(variant, tmp_path / name / "1", "int8")
    asked = settings(tmp_path, max_batch_size=1)
    result = await gpu.measured(asked, seconds=0.01, pictures=2, precisions=("fp32", "int8"))
    assert list(result["precisions"]) == ["fp32", "int8"]
    assert result["precisions"]["int8"]["pictures_a_second"]["1"][CPU] > 0
    assert not result["not_run"]


@pytest.mark.skipif(importlib.util.find_spec("torch") is not None, reason="PyTorch is installed")
async def test_roads_that_are_not_there_are_named_with_the_reason(tiny: Path) -> None:
    asked = settings(tiny, max_batch_size=1)
    result = await gpu.measured(asked, seconds=0.01, pictures=2, precisions=("fp32",))
    not_run = result["precisions"]["fp32"]["not_run"]
    assert not_run["PyTorch"] == "torch is not installed"
    assert TENSORRT in not_run[TENSORRT]


def test_a_bare_loop_opens_a_card_as_the_service_does(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    class Session(ort.InferenceSession):  # type: ignore[misc] # it has no types
        def __init__(self, *arguments: object, providers: Any) -> None:
            asked.append(providers)
            super().__init__(*arguments, providers=providers)

    # As a build for cards is on a machine without one: it opens the session on the processor.
    monkeypatch.setattr(ort, "get_available_providers", lambda: [CUDA, CPU])
    monkeypatch.setattr(ort, "preload_dlls", lambda: None)
    monkeypatch.setattr(ort, "InferenceSession", Session)
    file = model_file.read(tiny / "segmenter" / "1" / "model.onnx")
    with pytest.warns(UserWarning, match=CUDA), pytest.raises(BackendError, match="not work"):
        OnnxRuntimeCuda(file, Layout())
    with pytest.warns(UserWarning, match=CUDA), pytest.raises(NotHereError, match="not work"):
        bare.in_onnxruntime(file, CUDA)
    served, in_loop = asked
    assert in_loop == served
    assert dict(served[:1])[CUDA]["use_tf32"] == "0"


def test_without_a_result_the_table_says_that_it_was_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "RESULTS", tmp_path)
    page = tables.rendered("<!-- gpu -->\nold\n<!-- /gpu -->")
    assert "Not run" in page
    assert "old" not in page
