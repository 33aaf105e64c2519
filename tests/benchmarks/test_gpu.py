"""The GPU's benchmark in miniature, on the processor."""

import importlib.util
import json
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import onnxruntime as ort
import pytest

from benchmarks import bare, gpu, machine, tables
from benchmarks.bare import Batch, Loop, NotHereError
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
    assert "in fp32 to the bare loop's best: " in table
    assert "at least 0.9 is aimed at" in table


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
        def __init__(self, *arguments: object, providers: Any, **more: object) -> None:
            asked.append(providers)
            super().__init__(*arguments, providers=providers, **more)

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


def test_tensorrt_is_not_timed_where_it_might_round_and_nobody_else_does(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ort, "get_available_providers", lambda: [TENSORRT, CUDA, CPU])
    file = model_file.read(tiny / "segmenter" / "1" / "model.onnx")
    monkeypatch.delenv("NVIDIA_TF32_OVERRIDE", raising=False)
    with pytest.raises(NotHereError, match="NVIDIA_TF32_OVERRIDE=0"):
        bare.in_onnxruntime(file, TENSORRT)
    for name, value in bare.IN_FULL.items():
        monkeypatch.setenv(name, value)
    with (
        pytest.warns(UserWarning, match="Execution"),
        pytest.raises(NotHereError, match="not work"),
    ):
        bare.in_onnxruntime(file, TENSORRT)


@pytest.fixture
def pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyTorch for processors only, beside a converter that has not learned half precision."""

    def convert(_: object) -> None:
        raise KeyError("float16")

    cuda = SimpleNamespace(is_available=lambda: False, matmul=SimpleNamespace())
    backends = SimpleNamespace(cudnn=SimpleNamespace(), cuda=cuda)
    threads = {"set_num_threads": lambda _: None}
    for name, content in (
        ("torch", {"cuda": cuda, "backends": backends, **threads}),
        ("onnx2torch", {"convert": convert}),
    ):
        module = ModuleType(name)
        module.__spec__ = ModuleSpec(name, None)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)


@pytest.mark.usefixtures("pytorch")
def test_pytorch_for_processors_is_not_timed_beside_a_card(tiny: Path) -> None:
    file = model_file.read(tiny / "segmenter" / "1" / "model.onnx")
    with pytest.raises(NotHereError, match="has no CUDA"):
        bare.in_pytorch(file, CUDA)


@pytest.mark.usefixtures("pytorch")
async def test_a_model_that_cannot_be_converted_takes_no_figures_of_others_away(tiny: Path) -> None:
    asked = settings(tiny, max_batch_size=1)
    result = await gpu.measured(asked, seconds=0.01, pictures=2, precisions=("fp32",))
    measured = result["precisions"]["fp32"]
    assert measured["not_run"]["PyTorch"] == "KeyError: 'float16'"
    assert measured["pictures_a_second"]["1"].keys() == {"service", CPU}


@pytest.mark.parametrize(("fails_from", "left"), [(1, []), (4, ["1", "2"])])
async def test_a_road_that_fails_with_a_batch_takes_no_figures_of_others_away(
    tiny: Path, monkeypatch: pytest.MonkeyPatch, fails_from: int, left: list[str]
) -> None:
    def opened(file: object, provider: str) -> Loop:  # noqa: ARG001 - asked as any other is
        def run(batch: Batch) -> object:
            if len(batch) >= fails_from:
                raise RuntimeError("out of memory\nand much more")
            return batch

        return run

    monkeypatch.setattr(bare, "in_onnxruntime", opened)
    asked = settings(tiny, max_batch_size=4)
    result = await gpu.measured(asked, seconds=0.01, pictures=2, precisions=("fp32",))
    measured = result["precisions"]["fp32"]
    by_size = measured["pictures_a_second"]
    assert [size for size, figures in by_size.items() if CPU in figures] == left
    assert all(figures["service"] > 0 for figures in by_size.values())
    why = f"batches of {fails_from} and more: RuntimeError: out of memory"
    assert measured["not_run"][CPU] == why
    assert (measured["end_to_end_to_bare"] is None) == (not left)


def test_without_a_result_the_table_says_that_it_was_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "RESULTS", tmp_path)
    page = tables.rendered("<!-- gpu -->\nold\n<!-- /gpu -->")
    assert "Not run" in page
    assert "old" not in page
