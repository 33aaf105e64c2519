import hashlib
from pathlib import Path

import numpy as np
import pytest
from onnx import numpy_helper

from services.inference import repository
from services.inference.backends.onnxruntime_cpu import OnnxRuntimeCpu
from services.inference.contract import ClassifierContract, SegmenterContract, try_out
from services.inference.model_file import ModelError, ModelRunError
from services.inference.onnx_model import OnnxModel
from tests import tiny_models


def load(folder: Path, name: str = "classifier") -> OnnxModel:
    return OnnxModel.load(folder, name)


def test_a_batch_answers_row_by_row(tmp_path: Path) -> None:
    model = load(tiny_models.publish(tiny_models.classifier(), tmp_path / "1"))
    rows = [np.full((64, 64, 3), value, np.uint8) for value in (10, 200)]
    together = model.run(rows)
    for row, output in zip(rows, together, strict=True):
        alone = model.run([row])[0]["probabilities"]
        np.testing.assert_allclose(output["probabilities"], alone, rtol=1e-5)


def test_provenance_names_version_hash_and_backend(tmp_path: Path) -> None:
    folder = tiny_models.publish(tiny_models.classifier(), tmp_path / "12")
    provenance = load(folder).provenance
    assert provenance.version == "12"
    assert provenance.sha256 in (folder / "SHA256SUMS").read_text()
    assert provenance.execution_provider == "CPUExecutionProvider"


def test_a_file_that_is_not_the_published_one_is_refused(tmp_path: Path) -> None:
    folder = tiny_models.publish(tiny_models.classifier(), tmp_path / "1")
    with (folder / "model.onnx").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(ModelError, match="not the published model"):
        load(folder)


def test_a_list_of_checksums_may_name_other_files_too(tmp_path: Path) -> None:
    folder = tiny_models.publish(tiny_models.classifier(), tmp_path / "1")
    own = (folder / "SHA256SUMS").read_text()
    other = hashlib.sha256(b"a variant").hexdigest()
    (folder / "SHA256SUMS").write_text(f"{other}  model.int8.onnx\n{own}")
    assert load(folder).provenance.sha256 == own.split()[0]


def test_a_file_is_not_published_under_the_name_of_another(tmp_path: Path) -> None:
    folder = tiny_models.publish(tiny_models.classifier(), tmp_path / "1")
    own = (folder / "SHA256SUMS").read_text().split()[0]
    (folder / "SHA256SUMS").write_text(f"{own}  model.int8.onnx\n")
    with pytest.raises(ModelError, match="not the published model"):
        load(folder)


def test_a_missing_file_or_checksum_is_named(tmp_path: Path) -> None:
    folder = tiny_models.publish(tiny_models.classifier(), tmp_path / "1")
    (folder / "SHA256SUMS").unlink()
    with pytest.raises(ModelError, match="SHA256SUMS cannot be read"):
        load(folder)
    with pytest.raises(ModelError, match="no version of the classifier"):
        repository.latest(tmp_path, "classifier")


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    folder = tiny_models.publish(tiny_models.classifier(), tmp_path / "1")
    (folder / "model.onnx").write_bytes(b"not a model")
    digest = hashlib.sha256(b"not a model").hexdigest()
    (folder / "SHA256SUMS").write_text(f"{digest}  model.onnx\n")
    with pytest.raises(ModelError, match="cannot be loaded"):
        load(folder)


def test_a_model_under_the_wrong_name_is_refused(tmp_path: Path) -> None:
    folder = tiny_models.publish(tiny_models.segmenter(), tmp_path / "1")
    with pytest.raises(ModelError, match="is not a classifier"):
        load(folder)


@pytest.mark.parametrize(
    ("metadata", "sentence"),
    [
        ({"labels": '["nv", "mel"]'}, "answers .*nv.* instead of"),
        ({"resize": "nearest"}, "trained on nearest"),
        ({"suspicious_threshold": "high"}, "no usable 'suspicious_threshold'"),
        ({"suspicious_threshold": "null"}, "no usable 'suspicious_threshold'"),
        ({"metrics": "[]"}, "no usable 'metrics'"),
        ({"input_size": '"64"'}, "no usable 'input_size'"),
    ],
)
def test_a_classifier_that_breaks_its_contract_is_refused(
    tmp_path: Path, metadata: dict[str, str], sentence: str
) -> None:
    model = load(tiny_models.publish(tiny_models.classifier(**metadata), tmp_path / "1"))
    with pytest.raises(ModelError, match=sentence):
        ClassifierContract.of(model)


def test_a_segmenter_without_a_mask_is_refused(tmp_path: Path) -> None:
    model = tiny_models.segmenter()
    model.graph.output[0].name = model.graph.node[-1].output[0] = "other"
    with pytest.raises(ModelError, match="lacks the output mask"):
        SegmenterContract.of(load(tiny_models.publish(model, tmp_path / "1"), "segmenter"))


def test_a_segmenter_whose_mask_has_not_the_pictures_size_is_refused(tmp_path: Path) -> None:
    model = tiny_models.segmenter()
    mean = next(node for node in model.graph.node if node.op_type == "ReduceMean")
    next(each for each in mean.attribute if each.name == "keepdims").i = 0
    del model.graph.output[0].type.tensor_type.shape.dim[-1]
    loaded = load(tiny_models.publish(model, tmp_path / "1"), "segmenter")
    with pytest.raises(ModelError, match=r"mask of shape \(64, 64\) instead of \(64, 64, 1\)"):
        try_out(loaded, SegmenterContract.of(loaded))


def test_the_highest_version_serves(tmp_path: Path) -> None:
    for version in ("2", "10", "9", "draft"):
        (tmp_path / "classifier" / version).mkdir(parents=True)
    assert repository.latest(tmp_path, "classifier").name == "10"


def test_an_answer_that_is_no_number_fails_the_run(tmp_path: Path) -> None:
    model = tiny_models.classifier()
    weights = next(each for each in model.graph.initializer if each.name == "weights")
    weights.CopyFrom(numpy_helper.from_array(np.full((3, 7), np.nan, np.float32), "weights"))
    loaded = load(tiny_models.publish(model, tmp_path / "1"))
    with pytest.raises(ModelRunError, match="no number"):
        loaded.run([np.zeros((64, 64, 3), np.uint8)])


def test_a_tensor_of_another_size_fails_the_run_and_not_the_session(tmp_path: Path) -> None:
    model = load(tiny_models.publish(tiny_models.classifier(), tmp_path / "1"))
    with pytest.raises(ModelRunError):
        model.run([np.zeros((32, 32, 3), np.uint8)])
    assert len(model.run([np.zeros((64, 64, 3), np.uint8)] * 2)) == 2


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("Status Message: std::bad_alloc"),
        RuntimeError("CUDA failure 2: out of memory ; GPU=0 ; expr=cudaMalloc((void**)&p, size)"),
    ],
)
def test_a_runtime_that_lacks_memory_lacks_memory_in_whatever_words_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def run(*_: object) -> None:
        raise error

    model = load(tiny_models.publish(tiny_models.classifier(), tmp_path / "1"))
    monkeypatch.setattr(OnnxRuntimeCpu, "run", run)
    with pytest.raises(ModelRunError) as lacking:
        model.run([np.zeros((64, 64, 3), np.uint8)])
    assert isinstance(lacking.value, MemoryError)
