import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from services.inference import model_file
from services.inference.backends import parity, specimens
from services.inference.backends.backend import BackendError, named
from services.inference.backends.election import Election
from services.inference.backends.layout import Layout
from services.inference.backends.onnxruntime_cpu import OnnxRuntimeCpu
from services.inference.backends.openvino import OpenVino
from services.inference.model_file import ModelError, ModelFile
from services.inference.settings import Settings, available_cores
from services.pb import inference_pb2_grpc
from tests import tiny_models
from tests.inference.conftest import serving
from tests.inference.rollouts import analyze

pytest.importorskip("openvino", reason="the extra openvino is not installed")

SHIPPED = Path(__file__).parents[3] / "weights" / "models"

_ALONE = """
import sys
called = []
def listen(event, details):
    if event.startswith("socket."):
        called.append(event)
sys.addaudithook(listen)
from pathlib import Path
from services.inference import model_file
from services.inference.backends import specimens
from services.inference.backends.layout import Layout
from services.inference.backends.openvino import OpenVino
backend = OpenVino(model_file.read(Path(sys.argv[1])), Layout(), precision="fp32")
backend.run(specimens.drawn(64)[0])
sys.exit(", ".join(called) or None)
"""


@pytest.fixture
def file(tmp_path: Path) -> ModelFile:
    folder = tiny_models.publish(tiny_models.classifier(), tmp_path / "1")
    return model_file.read(folder / "model.onnx")


def test_it_answers_as_onnx_runtime_does_under_the_same_names(file: ModelFile) -> None:
    ours, theirs = OpenVino(file, Layout(2, 1), precision="fp32"), OnnxRuntimeCpu(file)
    assert ours.signature == theirs.signature
    assert dict(ours.metadata) == dict(theirs.metadata)
    batch = np.concatenate(specimens.drawn(64))
    for found, expected in zip(ours.run(batch).results, theirs.run(batch).results, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_batches_of_any_size_run_side_by_side_and_answers_are_not_mixed(file: ModelFile) -> None:
    backend, reference = OpenVino(file, Layout(2, 1), precision="fp32"), OnnxRuntimeCpu(file)
    rng = np.random.default_rng(1)
    batches = [rng.integers(0, 256, (1 + n % 3, 64, 64, 3), np.uint8) for n in range(40)]
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(backend.run, batches))
    for batch, answer in zip(batches, answers, strict=True):
        expected = reference.run(batch).results[0]
        np.testing.assert_allclose(answer.results[0], expected, rtol=1e-4, atol=1e-6)


def test_it_names_itself_and_the_precision(file: ModelFile) -> None:
    identity = OpenVino(file, Layout(), precision="fp32").identity
    assert identity.execution_provider == "OpenVINO"
    assert (identity.precision, identity.sha256) == ("fp32", file.sha256)


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="cannot be compiled"):
        OpenVino(ModelFile(tmp_path / "model.onnx", b"no", "0" * 64), Layout(), precision="fp32")


def test_it_calls_nobody(file: ModelFile) -> None:
    run = subprocess.run(
        [sys.executable, "-c", _ALONE, str(file.path)], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.parametrize("name", ["segmenter", "classifier"])
@pytest.mark.parametrize("precision", ["int8", "bf16"])
def test_the_shipped_models_pass_in_every_precision_that_may_be_chosen(
    name: str, precision: str
) -> None:
    folder = max((SHIPPED / name).iterdir(), key=lambda path: int(path.name))
    model = model_file.read(folder / "model.onnx")
    file = model_file.variant(model, "int8") if precision == "int8" else model
    try:
        backend = OpenVino(file, Layout(available_cores(), 1), precision=precision)
    except BackendError as error:
        pytest.skip(str(error))
    reference = OnnxRuntimeCpu(model)
    pictures = specimens.drawn(specimens.size_for(reference))
    answers = [
        [named(each, each.run(picture)) for picture in pictures] for each in (reference, backend)
    ]
    assert parity.compared(*answers).faults == ()


@pytest.fixture
def in_bf16() -> None:
    """Skip where the processor does not compute in it."""
    openvino = pytest.importorskip("openvino")
    if "BF16" not in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        pytest.skip("this processor does not compute in bf16")


async def test_a_service_that_is_to_run_on_it_does_and_every_answer_says_so(
    model_dir: Path, registry: CollectorRegistry
) -> None:
    settings = Settings(model_dir=model_dir, execution_provider="openvino", precision="fp32")
    async with serving(settings, registry) as channel:
        answer = await analyze(inference_pb2_grpc.InferenceServiceStub(channel))
    ran = {(each.execution_provider, each.precision, each.variant_of) for each in answer.models}
    assert ran == {("OpenVINO", "fp32", "")}


def test_an_accepted_variant_on_it_names_the_model_that_it_stands_in_for(file: ModelFile) -> None:
    tiny_models.publish_variant(tiny_models.classifier(), file.path.parent, "int8")
    identity = Election(Layout(), provider="openvino", precision="int8")(file).identity
    assert (identity.execution_provider, identity.precision) == ("OpenVINO", "int8")
    assert (identity.sha256, identity.variant_of) == (
        model_file.read(file.path.with_name("model.int8.onnx")).sha256,
        file.sha256,
    )


def test_a_variant_that_it_answers_otherwise_is_not_loaded(file: ModelFile) -> None:
    tiny_models.publish_variant(tiny_models.another_classifier(), file.path.parent, "int8")
    with pytest.raises(ModelError, match=r"openvino int8: probabilities differs by 0\.\d+"):
        Election(Layout(), provider="openvino", precision="int8")(file)


@pytest.mark.usefixtures("in_bf16")
def test_in_bf16_it_runs_the_model_itself(file: ModelFile) -> None:
    backend = Election(Layout(), provider="openvino", precision="bf16")(file)
    assert isinstance(backend, OpenVino)
    hint = backend._compiled.get_property("INFERENCE_PRECISION_HINT")
    assert hint.get_type_name() == "bf16"
    identity = backend.identity
    assert (identity.precision, identity.sha256, identity.variant_of) == ("bf16", file.sha256, "")
