"""What of the graphics card's backend can be tried without one: binding, and being without."""

import ctypes
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

from services.inference import model_file
from services.inference.backends import page_locked
from services.inference.backends.backend import CPU, CUDA, TENSORRT, BackendError
from services.inference.backends.layout import Layout
from services.inference.backends.onnxruntime_cpu import OnnxRuntimeCpu
from services.inference.backends.onnxruntime_cuda import Bindings, OnnxRuntimeCuda, providers
from services.inference.model_file import ModelFile
from tests import tiny_models


@pytest.fixture
def file(tmp_path: Path) -> ModelFile:
    folder = tiny_models.publish(tiny_models.classifier(), tmp_path / "1")
    return model_file.read(folder / "model.onnx")


@pytest.fixture
def session(file: ModelFile) -> ort.InferenceSession:
    return ort.InferenceSession(file.content, providers=["CPUExecutionProvider"])


def batches(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(2)
    return [rng.integers(0, 256, (1 + n % 4, 64, 64, 3), np.uint8) for n in range(count)]


def test_bound_runs_answer_as_unbound_ones_for_every_shape_in_any_order(
    file: ModelFile, session: ort.InferenceSession
) -> None:
    bindings, reference = Bindings(session, "cpu"), OnnxRuntimeCpu(file)
    for batch in batches(24):
        for found, expected in zip(bindings.run(batch), reference.run(batch).results, strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_runs_at_the_same_time_do_not_share_memory(
    file: ModelFile, session: ort.InferenceSession
) -> None:
    bindings, reference, many = Bindings(session, "cpu"), OnnxRuntimeCpu(file), batches(60)
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(bindings.run, many))
    for batch, answer in zip(many, answers, strict=True):
        np.testing.assert_allclose(answer[0], reference.run(batch).results[0], rtol=1e-6)


def test_an_earlier_answer_is_not_overwritten_by_a_later_run(
    session: ort.InferenceSession,
) -> None:
    bindings = Bindings(session, "cpu")
    first, second = batches(8)[0], batches(8)[4]
    answer = bindings.run(first)[0]
    kept = answer.copy()
    bindings.run(second)
    np.testing.assert_array_equal(answer, kept)


def test_memory_is_bound_once_a_shape(session: ort.InferenceSession) -> None:
    bindings = Bindings(session, "cpu")
    for batch in batches(12):
        bindings.run(batch)
    assert {shape[0]: len(spare) for shape, spare in bindings._spare.items()} == dict.fromkeys(
        (1, 2, 3, 4), 1
    )


def test_a_run_that_fails_leaves_nothing_bound(session: ort.InferenceSession) -> None:
    bindings = Bindings(session, "cpu")
    with pytest.raises(Exception, match="dimension"):
        bindings.run(np.zeros((1, 32, 32, 3), np.uint8))
    assert not any(bindings._spare.values())


class Cuda:
    """NVIDIA's two calls, on memory of the process's own, counted."""

    def __init__(self, refuses: int = 0) -> None:
        self.held: dict[int, object] = {}
        self.refuses = refuses
        self.taken = 0

    def cudaHostAlloc(self, address: Any, size: ctypes.c_size_t, flags: ctypes.c_uint) -> int:  # noqa: N802
        assert flags.value == 1
        if not self.refuses:
            memory = ctypes.create_string_buffer(size.value)
            address._obj.value = ctypes.addressof(memory)
            self.held[ctypes.addressof(memory)] = memory
            self.taken += 1
        return self.refuses

    def cudaFreeHost(self, address: ctypes.c_void_p) -> int:  # noqa: N802
        assert address.value is not None
        del self.held[address.value]
        return 0


def test_page_locked_memory_is_taken_once_a_shape_and_given_back(
    file: ModelFile, session: ort.InferenceSession
) -> None:
    cuda, reference = Cuda(), OnnxRuntimeCpu(file)
    bindings = Bindings(session, "cpu", page_locked.of(cuda))
    for batch in batches(24):
        for found, expected in zip(bindings.run(batch), reference.run(batch).results, strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert cuda.taken == len(cuda.held) == 4
    with pytest.raises(Exception, match="dimension"):
        bindings.run(np.zeros((1, 32, 32, 3), np.uint8))
    assert len(cuda.held) == 4
    del bindings
    assert not cuda.held


def test_a_card_that_can_lock_no_page_is_copied_to_all_the_same(
    file: ModelFile, session: ort.InferenceSession
) -> None:
    out_of_memory = 2
    bindings = Bindings(session, "cpu", page_locked.of(Cuda(refuses=out_of_memory)))
    batch = batches(1)[0]
    expected = OnnxRuntimeCpu(file).run(batch).results[0]
    np.testing.assert_allclose(bindings.run(batch)[0], expected, rtol=1e-6)


def test_without_cuda_there_is_no_page_locked_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ort, "cuda_version", "99.9", raising=False)
    assert page_locked.of_the_runtime() is None


def test_tensorrt_is_allowed_half_precision_for_a_file_that_has_it_and_no_other() -> None:
    asked = {"trt_fp16_enable": "True"}
    assert providers(TENSORRT, "fp16")[0] == (TENSORRT, asked)
    assert [each if isinstance(each, str) else each[0] for each in providers(TENSORRT, "fp16")] == [
        TENSORRT,
        CUDA,
        CPU,
    ]
    assert providers(TENSORRT, "fp32")[0] == TENSORRT
    assert providers(CUDA, "fp16") == providers(CUDA)


def test_what_cuda_lacks_is_the_reason_and_no_line_of_its_own(
    file: ModelFile, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def preload() -> None:
        print("Failed to load libcublas.so.13: no such file", "Please follow", sep="\n")  # noqa: T201

    monkeypatch.setattr(ort, "get_available_providers", lambda: [CUDA, CPU])
    monkeypatch.setattr(ort, "preload_dlls", preload)
    with (
        pytest.warns(UserWarning, match=CUDA),
        pytest.raises(BackendError, match=r"not work here \(Failed to load libcublas\.so\.13"),
    ):
        OnnxRuntimeCuda(file, Layout())
    assert capsys.readouterr().out == ""


def test_a_provider_that_fails_as_it_opens_is_the_reason_and_prints_nothing(
    file: ModelFile, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def initialized(*_: object) -> None:
        raise RuntimeError("CUDA failure 35: CUDA driver version is insufficient")

    monkeypatch.setattr(ort, "get_available_providers", lambda: [CUDA, CPU])
    monkeypatch.setattr(ort, "preload_dlls", lambda: None)
    monkeypatch.setattr(ort.InferenceSession, "_create_inference_session", initialized)
    with pytest.raises(BackendError, match="CUDA driver version is insufficient"):
        OnnxRuntimeCuda(file, Layout())
    assert capsys.readouterr().out == ""


def test_a_build_without_the_provider_is_named(file: ModelFile) -> None:
    if CUDA in ort.get_available_providers():
        pytest.skip("this build of ONNX Runtime has CUDA")
    with pytest.raises(BackendError, match="has no CUDAExecutionProvider"):
        OnnxRuntimeCuda(file, Layout())
