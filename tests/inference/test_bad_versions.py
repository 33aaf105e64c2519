"""Versions and labels of no use leave everything as it is, and say why."""

from __future__ import annotations

import hashlib
import itertools
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import helper, numpy_helper
from prometheus_client import CollectorRegistry

from services.inference import labels, loader, repository
from services.inference.labels import Labels
from services.inference.model_file import ModelError
from services.inference.repository import Sight
from services.pb import inference_pb2 as pb
from tests import tiny_models
from tests.inference.rollouts import (
    analyze,
    listed,
    refused,
    served,
    serves,
    two_versions,
    version_of,
    wrong_hash,
)


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    return two_versions(tmp_path)


def no_model(folder: Path) -> None:
    folder.mkdir()
    (folder / "model.onnx").write_bytes(b"not a model")
    digest = hashlib.sha256(b"not a model").hexdigest()
    (folder / "SHA256SUMS").write_text(f"{digest}  model.onnx\n")


def another_model(folder: Path) -> None:
    tiny_models.publish(tiny_models.segmenter(), folder)


def other_labels(folder: Path) -> None:
    tiny_models.publish(tiny_models.classifier(labels='["nv", "mel"]'), folder)


def nothing(folder: Path) -> None:
    assert not folder.exists()


def no_number(folder: Path) -> None:
    tiny_models.publish(
        tiny_models.weighted_classifier(np.full((3, 7), np.nan, np.float32)), folder
    )


def eight_labels(folder: Path) -> None:
    tiny_models.publish(tiny_models.weighted_classifier(np.ones((3, 8), np.float32)), folder)


def no_probabilities(folder: Path) -> None:
    model = tiny_models.classifier()
    softmax = next(node for node in model.graph.node if node.op_type == "Softmax")
    softmax.op_type = "Sigmoid"
    del softmax.attribute[:]
    tiny_models.publish(model, folder)


def no_map(folder: Path) -> None:
    model = tiny_models.classifier()
    for node in model.graph.node:
        node.output[:] = ["map" if each == "explanation" else each for each in node.output]
        node.input[:] = ["map" if each == "explanation" else each for each in node.input]
    model.graph.initializer.append(numpy_helper.from_array(np.zeros((7, 1), np.float32), "to_one"))
    model.graph.node.append(helper.make_node("MatMul", ["map", "to_one"], ["explanation"]))
    tiny_models.publish(model, folder)


@pytest.mark.parametrize(
    ("publish", "reason"),
    [
        (wrong_hash, "not the published model"),
        (no_model, "cannot be loaded"),
        (another_model, "is not a classifier"),
        (other_labels, "answers .*nv.* instead of"),
        (nothing, "cannot be read"),
        (no_number, "no number"),
        (eight_labels, r"probabilities of shape \(8,\) instead of \(7,\)"),
        (no_probabilities, r"probabilities sum to \d\.\d+ instead of 1"),
        (no_map, r"explanation of shape \(4, 4, 1\) instead of \(4, 4, 7\)"),
    ],
)
async def test_a_bad_version_leaves_the_old_one_serving_and_says_why(
    model_dir: Path,
    registry: CollectorRegistry,
    logged: pytest.LogCaptureFixture,
    publish: Callable[[Path], None],
    reason: str,
) -> None:
    publish(model_dir / "classifier" / "9")
    async with served(model_dir, registry) as stub:
        labels.write(model_dir / "classifier", Labels(stable=9))
        found = await listed(stub, refused)
        (pending,) = found.pending
        assert (pending.name, pending.version) == ("classifier", "9")
        assert pending.version_label == pb.VERSION_LABEL_STABLE
        assert pending.reason in logged.text.replace("\\\\", "\\").replace("\\'", "'")
        with pytest.raises(ModelError, match=reason):
            raise ModelError(pending.reason)
        assert version_of(await analyze(stub), "classifier") == "1"
        problems = {"model": "classifier"}
        assert registry.get_sample_value("inference_model_problems", problems) == 1
        labels.write(model_dir / "classifier", Labels(stable=2))
        await listed(stub, serves("classifier", "2"))
        assert registry.get_sample_value("inference_model_problems", problems) == 0
        assert version_of(await analyze(stub), "classifier") == "2"


async def test_a_version_that_is_still_being_copied_is_left_alone(
    model_dir: Path, logged: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tiny_models.publish(tiny_models.another_classifier(), model_dir / "classifier" / "3")
    whole = (folder / "model.onnx").read_bytes()
    looks, parts = itertools.count(1), 12
    look = repository.look

    def copying(where: Path, name: str) -> Sight:
        if name == "classifier" and (part := next(looks)) <= parts:
            (folder / "model.onnx").write_bytes(whole[: part * len(whole) // parts])
        return look(where, name)

    async with served(model_dir) as stub:
        monkeypatch.setattr(repository, "look", copying)
        labels.write(model_dir / "classifier", Labels(stable=3))
        await listed(stub, serves("classifier", "3"))
    assert next(looks) > parts
    assert "model version refused" not in logged.text


async def test_a_fault_of_our_own_in_loading_leaves_the_old_version_serving_and_is_said(
    model_dir: Path, logged: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise KeyError("a fault of our own")

    async with served(model_dir) as stub:
        monkeypatch.setattr(loader, "try_out", failing)
        labels.write(model_dir / "classifier", Labels(stable=2))
        (pending,) = (await listed(stub, refused)).pending
        assert (pending.version, pending.reason) == ("2", "it could not be loaded (KeyError)")
        assert version_of(await analyze(stub), "classifier") == "1"
    assert "a fault of our own" in logged.text


async def test_a_look_that_fails_is_not_the_last(
    model_dir: Path, logged: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    look, looks = repository.look, itertools.count(1)

    def failing(where: Path, name: str) -> Sight:
        if next(looks) <= 4:
            raise RuntimeError("a fault of our own")
        return look(where, name)

    async with served(model_dir) as stub:
        monkeypatch.setattr(repository, "look", failing)
        labels.write(model_dir / "classifier", Labels(stable=2))
        await listed(stub, serves("classifier", "2"))
    assert "labels could not be followed" in logged.text


async def test_a_refused_version_serves_once_it_has_been_mended(model_dir: Path) -> None:
    folder = model_dir / "classifier" / "3"
    wrong_hash(folder)
    async with served(model_dir) as stub:
        labels.write(model_dir / "classifier", Labels(stable=3))
        await listed(stub, refused)
        tiny_models.publish(tiny_models.another_classifier(seed=5), folder)
        await listed(stub, serves("classifier", "3"))
        assert version_of(await analyze(stub), "classifier") == "3"


async def test_labels_of_no_use_leave_everything_as_it_is_and_are_shown(
    model_dir: Path, registry: CollectorRegistry
) -> None:
    async with served(model_dir, registry) as stub:
        (model_dir / "classifier" / "labels.json").write_text('{"stable": "two"}')
        (pending,) = (await listed(stub, refused)).pending
        assert "labels.json cannot be used: stable" in pending.reason
        assert pending.version == ""
        assert version_of(await analyze(stub), "classifier") == "1"
        labels.write(model_dir / "classifier", Labels(stable=1))
        await listed(stub, lambda found: not found.pending)


async def test_a_version_that_no_folder_could_have_is_shown_as_labels_of_no_use_are(
    model_dir: Path, registry: CollectorRegistry
) -> None:
    async with served(model_dir, registry) as stub:
        (model_dir / "classifier" / "labels.json").write_text('{"stable": 1%s}' % ("0" * 300))
        (pending,) = (await listed(stub, refused)).pending
        assert "cannot be looked at (File name too long)" in pending.reason
        problems = {"model": "classifier"}
        assert registry.get_sample_value("inference_model_problems", problems) == 1
        assert version_of(await analyze(stub), "classifier") == "1"


async def test_a_service_does_not_start_on_a_version_that_no_folder_could_have(
    model_dir: Path,
) -> None:
    (model_dir / "segmenter" / "labels.json").write_text(
        '{"stable": 1, "shadow": 1%s}' % ("0" * 300)
    )
    with pytest.raises(ModelError, match=r"cannot be looked at"):
        async with served(model_dir):
            pass


def swapped(folder: Path) -> None:
    tiny_models.publish(tiny_models.another_classifier(seed=6), folder)


def half_copied(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(b"half of a model")


@pytest.mark.parametrize("precision", ["fp32", "int8"])
@pytest.mark.parametrize("change", [swapped, half_copied, shutil.rmtree])
async def test_a_version_whose_files_change_serves_on_and_it_is_said_that_a_start_would_differ(
    model_dir: Path,
    registry: CollectorRegistry,
    change: Callable[[Path], None],
    precision: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DERMSERVE_INFERENCE_PRECISION", precision)
    folder = model_dir / "classifier" / "1"
    for version, variant in (
        (folder, tiny_models.classifier()),
        (model_dir / "segmenter" / "1", tiny_models.segmenter()),
    ):
        tiny_models.publish_variant(variant, version, "int8")
    labels.write(folder.parent, Labels(stable=1))
    shutil.copytree(folder, model_dir / "kept")
    async with served(model_dir, registry) as stub:
        before = await analyze(stub)
        assert {model.precision for model in before.models} == {precision}
        change(folder)
        found = await listed(stub, refused)
        (pending,) = found.pending
        assert (pending.name, pending.version) == ("classifier", "1")
        assert "serves on as it was loaded" in pending.reason
        problems = {"model": "classifier"}
        assert registry.get_sample_value("inference_model_problems", problems) == 1
        assert (await analyze(stub)).classification == before.classification
        shutil.copytree(model_dir / "kept", folder, dirs_exist_ok=True)
        await listed(stub, lambda found: not found.pending)
        assert registry.get_sample_value("inference_model_problems", problems) == 0


async def test_a_service_does_not_start_on_labels_of_no_use(model_dir: Path) -> None:
    (model_dir / "segmenter" / "labels.json").write_text("stable: 1")
    with pytest.raises(ModelError, match=r"labels.json cannot be used"):
        async with served(model_dir):
            pass
