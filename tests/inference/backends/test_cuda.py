"""What of the graphics card's backend can be tried without one: binding, and being without."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

from services.inference import model_file
from services.inference.backends.backend import BackendError
from services.inference.backends.layout import Layout
from services.inference.backends.onnxruntime_cpu import OnnxRuntimeCpu
from services.inference.backends.onnxruntime_cuda import Bindings, OnnxRuntimeCuda
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


def test_a_build_without_the_provider_is_named(file: ModelFile) -> None:
    if "CUDAExecutionProvider" in ort.get_available_providers():
        pytest.skip("this build of ONNX Runtime has CUDA")
    with pytest.raises(BackendError, match="has no CUDAExecutionProvider"):
        OnnxRuntimeCuda(file, Layout())
